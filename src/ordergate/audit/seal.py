"""Seal: add a record to the one history, inside the transaction of the change it tells of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from ordergate.audit import chain
from ordergate.audit.checkpoint import EVERY, Peaks, hash_of, head_bytes, note, peaks_of
from ordergate.model.canonical import canonical, iso
from ordergate.model.records import AuditHead, AuditRow, CheckpointRow
from ordergate.ports.audit_log import AuditTx
from ordergate.ports.system import Clock

_PAGE: Final = 1024  # records read at once for a checkpoint


class ForeignLog(Exception):
    """The store's head belongs to another log than the one this gateway seals."""


class Seal:
    """The only writer of the log. Every append leaves a signed head over all records."""

    def __init__(
        self,
        *,
        sign: Callable[[bytes], bytes],
        log_id: str,
        epoch: int,
        clock: Clock,
        version: str,
    ) -> None:
        self._sign = sign
        self._log_id = log_id
        self._epoch = epoch
        self._clock = clock
        self._version = version

    def append(
        self,
        tx: AuditTx,
        kind: str,
        *,
        actor: str,
        corr: str,
        body: Mapping[str, object],
    ) -> int:
        """Seal one record and return its sequence number; a checkpoint at each 256th."""
        last = self._head(tx)
        now = self._clock.now()
        ts = iso(now)
        seq = 1 if last is None else last.size + 1
        text = canonical(
            {
                "seq": seq,
                "epoch": self._epoch,
                "ts": ts,
                "kind": kind,
                "actor": actor,
                "corr": corr,
                "version": self._version,
                "body": dict(body),
            }
        )
        h = chain.link(chain.GENESIS if last is None else last.h, chain.leaf(text))
        head = AuditHead(log_id=self._log_id, epoch=self._epoch, size=seq, h=h, ts=ts, sig="")
        row = AuditRow(seq=seq, ts=now, kind=kind, actor=actor, corr=corr, body=text, h=h)
        tx.append_audit(row, head, self._signed)
        if seq % EVERY == 0:
            self.checkpoint(tx)
        return seq

    def size(self, tx: AuditTx) -> int:
        """Return the number of records sealed so far."""
        head = self._head(tx)
        return 0 if head is None else head.size

    def checkpoint(self, tx: AuditTx) -> None:
        """Sign a note over the whole log; nothing when the last one already covers it."""
        head = self._head(tx)
        last = tx.last_checkpoint()
        if head is None or (last is not None and last.size == head.size):
            return
        peaks = Peaks() if last is None else peaks_of(last)
        while peaks.size < head.size:
            bodies = tx.audit_hashes(after=peaks.size, upto=min(peaks.size + _PAGE, head.size))
            if not bodies:
                raise ForeignLog(f"record {peaks.size + 1} is missing")
            peaks = peaks.plus(map(chain.leaf, bodies))
        text = note(log_id=self._log_id, peaks=peaks, h=head.h, previous=hash_of(last))
        sig = self._sign(text.encode()).hex()
        tx.add_checkpoint(CheckpointRow(size=head.size, note=text, sig=sig))

    def _head(self, tx: AuditTx) -> AuditHead | None:
        head = tx.audit_head()
        if head is not None and head.log_id != self._log_id:
            raise ForeignLog(f"the store holds log {head.log_id}, not {self._log_id}")
        return head

    def _signed(self, head: AuditHead) -> AuditHead:
        return replace(head, sig=self._sign(head_bytes(head)).hex())
