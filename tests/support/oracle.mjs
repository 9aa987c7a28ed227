// A second verifier of ordergate's record in another language: the test oracle. Node >= 20 alone.
//
//   node oracle.mjs PUBLIC FILE [FILE...] [--anchor SIZE:ROOT]...   one verdict
//   node oracle.mjs PUBLIC --batch < lines                          one verdict a line
//
// A line of a batch is JSON: {"files": [...], "anchors": ["size:root", ...]}. A verdict is JSON:
// {"code": 0 ok | 1 tampered | 2 cut | 3 unverifiable, "seq": first bad or missing record, "reason"}.
// Written from the format that tools/ordergate_verify.py describes, and from nothing else.

import { createHash, createPublicKey, verify as ed25519 } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const [OK, TAMPERED, CUT, UNVERIFIABLE] = [0, 1, 2, 3];
const ROTATED = "record.key_rotated";

class Bad extends Error {
  constructor(code, seq, reason) {
    super(reason);
    Object.assign(this, { code, seq });
  }
}
class Unreadable extends Error {}

const hash = (...parts) => {
  const h = createHash("sha256");
  for (const part of parts) h.update(part);
  return h.digest();
};
const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);
const hex = (text) => {
  if (typeof text !== "string" || !/^([0-9a-fA-F]{2})*$/.test(text)) throw new Unreadable("no hex");
  return Buffer.from(text, "hex");
};

// Keys sorted by code unit: every name in the format is ASCII.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const names = Object.keys(value).sort();
    return `{${names.map((n) => `${JSON.stringify(n)}:${canonical(value[n])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

// RFC 9162 2.1.1, by its recursive definition; a perfect subtree never changes, so it is kept.
function treeHash(leaves, from, to, kept) {
  const count = to - from;
  if (count === 0) return hash();
  if (count === 1) return leaves[from];
  const name = `${from}-${to}`;
  if (kept.has(name)) return kept.get(name);
  let split = 1;
  while (split * 2 < count) split *= 2;
  const left = treeHash(leaves, from, from + split, kept);
  const made = hash(NODE, left, treeHash(leaves, from + split, to, kept));
  if (split * 2 === count) kept.set(name, made);
  return made;
}

function peaksOf(leaves, kept) {
  const peaks = [];
  let from = 0;
  while (from < leaves.length) {
    let width = 1;
    while (width * 2 <= leaves.length - from) width *= 2;
    peaks.push(treeHash(leaves, from, from + width, kept));
    from += width;
  }
  return peaks;
}

const SHAPES = {
  record: { seq: 0, ts: "", kind: "", actor: "", corr: "", body: "", h: "" },
  checkpoint: { size: 0, note: "", sig: "" },
  head: { log_id: "", epoch: 0, size: 0, h: "", ts: "", sig: "" },
  segment: { log_id: "", first: 0, last: 0, prev: "", peaks: [], previous: "" },
};

function shaped(kind, fields) {
  for (const [name, like] of Object.entries(SHAPES[kind])) {
    const value = fields[name];
    const same = Array.isArray(like)
      ? Array.isArray(value)
      : typeof like === "number"
        ? Number.isInteger(value)
        : typeof value === "string";
    if (!Object.hasOwn(fields, name) || !same) throw new Unreadable(`a bad ${name}`);
  }
  return fields;
}

function read(path) {
  const log = { rows: [], notes: [], head: null, segment: null };
  let text;
  try {
    const raw = readFileSync(path);
    text = (path.endsWith(".gz") ? gunzipSync(raw) : raw).toString("utf8");
  } catch (error) {
    throw new Unreadable(String(error));
  }
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (const line of lines) {
    let entry;
    try {
      entry = JSON.parse(line);
    } catch {
      throw new Unreadable("a line is no JSON");
    }
    const names = entry !== null && typeof entry === "object" ? Object.keys(entry) : [];
    const [kind] = names;
    const fields = entry?.[kind];
    const known = names.length === 1 && Object.hasOwn(SHAPES, kind) && !Array.isArray(fields);
    if (!known || fields === null || typeof fields !== "object") throw new Unreadable("a bad line");
    shaped(kind, fields);
    if (kind === "record") log.rows.push(fields);
    else if (kind === "checkpoint") log.notes.push(fields);
    else log[kind] = fields;
  }
  return log;
}

function signedBy(key, message, sig) {
  try {
    const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), hex(key)]);
    const made = createPublicKey({ key: spki, format: "der", type: "spki" });
    return ed25519(null, Buffer.from(message, "utf8"), made, hex(sig));
  } catch {
    return false;
  }
}

// Who signed from which record on; the pinned key must be one of them, or it stands alone.
function keyRanges(pinned, rows) {
  let ranges = [];
  for (const row of rows.filter((one) => one.kind === ROTATED)) {
    let said;
    let good = false;
    try {
      const sealed = JSON.parse(row.body);
      said = sealed.body;
      const statement = canonical({
        act: "the record goes on under another key",
        first: said.first,
        log_id: said.log_id,
        new: said.new,
        old: said.old,
      });
      good =
        said.first === row.seq &&
        sealed.seq === row.seq &&
        sealed.kind === ROTATED &&
        signedBy(said.old, statement, said.signed_by_old) &&
        signedBy(said.new, statement, said.signed_by_new);
    } catch {
      good = false;
    }
    if (!good) throw new Bad(TAMPERED, row.seq, "a change of keys that both did not sign");
    if (ranges.length && ranges.at(-1).key !== said.old)
      throw new Bad(TAMPERED, row.seq, "a change of keys that does not follow");
    if (!ranges.length) ranges.push({ first: 0, key: said.old });
    ranges.push({ first: said.first, key: said.new });
  }
  if (!ranges.some((range) => range.key === pinned)) ranges = [{ first: 0, key: pinned }];
  return (size) => ranges.filter((range) => range.first <= size).at(-1).key;
}

function sealedSays(row) {
  try {
    const said = JSON.parse(row.body);
    return ["seq", "ts", "kind", "actor", "corr"].every((name) => said[name] === row[name]);
  } catch {
    return false;
  }
}

function checkRows(log, keyAt, anchors, start, origin) {
  const { rows, notes } = log;
  let { at, h, peaks, previous } = start;
  // With an opening the tree goes on from its peaks; a whole log is hashed by definition.
  const leaves = [];
  let [met, anchored, proven, shown, closed] = [0, 0, at, at, 0];
  const kept = new Map();
  const current = () => (start.at ? joined(peaks, start.at, leaves) : peaksOf(leaves, kept));
  const wrong = (reason) => {
    throw new Bad(TAMPERED, proven + 1, reason);
  };
  for (const row of rows) {
    if (row.seq !== at + 1) throw new Bad(TAMPERED, at + 1, "a record is missing");
    const leaf = hash(LEAF, Buffer.from(row.body, "utf8"));
    h = hash(LEAF, h, leaf);
    if (h.toString("hex") !== row.h) throw new Bad(TAMPERED, at + 1, "the chain is broken");
    if (!sealedSays(row)) throw new Bad(TAMPERED, at + 1, "a column differs");
    at += 1;
    leaves.push(leaf);
    const note = notes[met];
    if (note === undefined || note.size > at) {
      if (at % 256 === 0) wrong("a checkpoint is missing");
    } else {
      if (note.size < at) wrong("checkpoints out of order");
      if (!signedBy(keyAt(at), note.note, note.sig)) wrong("a checkpoint's signature");
      const now = current();
      const expected = canonical({
        head: h.toString("hex"),
        origin,
        peaks: now.map((peak) => peak.toString("hex")),
        previous,
        root: rootOf(now).toString("hex"),
        size: at,
      });
      if (origin === null || note.note !== expected) wrong("not the checkpoint's records");
      previous = hash(Buffer.from(note.note, "utf8")).toString("hex");
      proven = closed = at;
      met += 1;
    }
    while (anchored < anchors.length && anchors[anchored].size <= at) {
      const { size, root } = anchors[anchored];
      if (size !== at || !rootOf(current()).toString("hex").startsWith(root))
        throw new Bad(TAMPERED, shown + 1, "not what was anchored");
      proven = shown = size;
      anchored += 1;
    }
  }
  const beyond = notes[met]?.size ?? anchors[anchored]?.size ?? null;
  return { at, h, proven, closed, beyond, notesLeft: met < notes.length, previous, origin, peaks: current() };
}

function rootOf(peaks) {
  if (!peaks.length) return hash();
  return peaks.slice(0, -1).reduceRight((right, left) => hash(NODE, left, right), peaks.at(-1));
}

function joined(peaks, size, leaves) {
  const stack = [...peaks];
  let count = size;
  for (let node of leaves) {
    for (let carry = count; carry % 2 === 1; carry = Math.floor(carry / 2))
      node = hash(NODE, stack.pop(), node);
    stack.push(node);
    count += 1;
  }
  return stack;
}

function originOf(log) {
  if (log.head) return log.head.log_id;
  try {
    return JSON.parse(log.notes[0].note).origin ?? null;
  } catch {
    return null;
  }
}

function checkWhole(log, keyAt, anchors) {
  const { head } = log;
  if (head) {
    const { sig, ...said } = { ...head };
    const { log_id, epoch, size, h, ts } = said;
    if (!signedBy(keyAt(size), canonical({ log_id, epoch, size, h, ts }), sig))
      throw new Bad(TAMPERED, size, "the head's signature");
  }
  const start = { at: 0, h: Buffer.alloc(32), peaks: [], previous: "" };
  const end = checkRows(log, keyAt, anchors, start, originOf(log));
  if (!head) throw new Bad(CUT, end.at + 1, "no head");
  if (head.size > end.at) throw new Bad(CUT, end.at + 1, "the head says more");
  if (head.size < end.at) throw new Bad(TAMPERED, head.size + 1, "records beyond the head");
  if (head.h !== end.h.toString("hex")) throw new Bad(TAMPERED, end.proven + 1, "not the head's chain");
  if (end.beyond !== null) throw new Bad(CUT, end.at + 1, "more was proven before");
  return end;
}

function checkSegment(log, keyAt, anchors, before) {
  const { log_id, first, last, prev, peaks, previous } = log.segment;
  const start = { at: first - 1, h: hex(prev), peaks: peaks.map(hex), previous };
  let ones = 0;
  for (let rest = first - 1; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  if (first < 1 || peaks.length !== ones || [start.h, ...start.peaks].some((p) => p.length !== 32))
    throw new Unreadable("a bad opening");
  if (before) {
    if (first > before.at + 1) throw new Bad(CUT, before.at + 1, "a segment is missing");
    const same =
      first === before.at + 1 &&
      log_id === before.origin &&
      previous === before.previous &&
      start.h.equals(before.h) &&
      Buffer.concat(start.peaks).equals(Buffer.concat(before.peaks));
    if (!same) throw new Bad(TAMPERED, before.at + 1, "a segment does not follow");
  }
  const mine = anchors.filter(({ size }) => first <= size && size <= last);
  const end = checkRows(log, keyAt, mine, start, log_id);
  if (end.at < last) throw new Bad(CUT, end.at + 1, "the segment was cut");
  if (end.at > last) throw new Bad(TAMPERED, last + 1, "records beyond the segment");
  if (end.closed !== last || end.notesLeft) throw new Bad(TAMPERED, end.proven + 1, "not closed");
  return end;
}

function checkReceipt(pinned, found) {
  try {
    const said = JSON.parse(found.note);
    const good =
      said.origin === found.log_id && found.records.length > 0 && signedBy(pinned, found.note, found.sig);
    if (!good) return { code: TAMPERED, seq: null };
    for (const { seq, body, path } of found.records) {
      const sealed = JSON.parse(body);
      const beside = path.map(hex);
      let [at, place, last] = [hash(LEAF, Buffer.from(body, "utf8")), seq - 1, said.size - 1];
      let good = place >= 0 && place <= last && sealed.seq === seq && sealed.corr === found.corr;
      for (; last > 0; place = Math.floor(place / 2), last = Math.floor(last / 2)) {
        if (place % 2 === 1) at = hash(NODE, beside.shift() ?? LEAF, at);
        else if (place < last) at = hash(NODE, at, beside.shift() ?? LEAF);
      }
      good &&= beside.length === 0 && at.toString("hex") === said.root;
      if (!good) return { code: TAMPERED, seq };
    }
    return { code: OK, seq: null };
  } catch {
    return { code: UNVERIFIABLE, seq: null };
  }
}

function verdict(pinned, files, anchors) {
  try {
    if (files.length === 1 && files[0].endsWith(".json"))
      return checkReceipt(pinned, JSON.parse(readFileSync(files[0], "utf8")).receipt);
    const logs = files.map(read);
    if (logs.length > 1 && logs.some((log) => !log.segment)) throw new Unreadable("no segments");
    const keyAt = keyRanges(pinned, logs.flatMap((log) => log.rows));
    const shown = anchors
      .map((text) => text.split(":"))
      .map(([size, root]) => ({ size: Number(size), root }))
      .sort((one, other) => one.size - other.size);
    let end = null;
    for (const log of logs)
      end = log.segment ? checkSegment(log, keyAt, shown, end) : checkWhole(log, keyAt, shown);
    if (logs.at(-1).segment && shown.some(({ size }) => size > end.at))
      throw new Bad(CUT, end.at + 1, "more was anchored");
    return { code: OK, seq: null, reason: rootOf(end.peaks).toString("hex") };
  } catch (error) {
    if (error instanceof Bad) return { code: error.code, seq: error.seq, reason: error.message };
    return { code: UNVERIFIABLE, seq: null, reason: String(error) };
  }
}

const [pinned, ...rest] = process.argv.slice(2);
if (rest[0] === "--batch") {
  for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
    const { files, anchors } = JSON.parse(line);
    process.stdout.write(`${JSON.stringify(verdict(pinned, files, anchors))}\n`);
  }
} else {
  const files = rest.filter((word, place) => word !== "--anchor" && rest[place - 1] !== "--anchor");
  const anchors = rest.filter((_, place) => rest[place - 1] === "--anchor");
  const found = verdict(pinned, files, anchors);
  process.stdout.write(`${JSON.stringify(found)}\n`);
  process.exitCode = found.code;
}
