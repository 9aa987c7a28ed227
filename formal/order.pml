/* One order, several gateways on one database, one venue: is it ever executed twice, or lost?

   Each atomic block is one committed transaction. The network may delay or lose a request or its
   reply. A gateway may die at every step, and another may take over a row whose owner still lives.
   The time-out may fire at any moment.

   Lanes, each a run of its own (formal/run.py lists them all):
     EXIT     the order only reduces risk: its claim does not look at the kill switch
     RESTORE  the books may once be set back to before the claim; their anchor tells at the start
     REQUOTE  the venue may refuse with a requote; the same key then opens the next attempt; a reply
              may come twice
     HUMAN    an operator may settle a parked order and send another in its place
   Broken variants are names defined at compile time; their moves are BROKEN, all others are MOVE.

   tests/unit/test_models.py holds the states and moves against order/journal/lifecycle.py. */

/* model state       orders                                    attempts
   @READY            PROPOSED AWAITING_APPROVAL APPROVED       -
   @STOPPED          POLICY_REJECTED DENIED EXPIRED WITHDRAWN BLOCKED KILLED   -
   @REQUOTED         REQUOTED                                  -
   @SENDING          -                                         SENDING AWAITING_PROMPT
   @UNKNOWN          -                                         UNKNOWN
   @PARKED           -                                         PARKED
   @TRACKED          -                  WORKING PARTIAL FILLED CANCELED VENUE_EXPIRED REPLACED
   @REFUSED          -                                         REJECTED
   @NOT_SENT         -                                         NOT_SENT
   @NOT_PLACED       -                                         RESOLVED_NOT_PLACED
   @OUTSIDE          DRAFT                                     APPLIED NOT_APPLIED
   An ACTIVE or DONE order is what its attempt is. */
#define READY 0
#define SENDING 1
#define UNKNOWN 2
#define PARKED 3
#define TRACKED 4
#define REFUSED 5
#define NOT_SENT 6
#define NOT_PLACED 7
#define STOPPED 8
#define REQUOTED 9
#define NOBODY 15

#ifndef GATEWAYS
#define GATEWAYS 2
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#define WIRES 4 /* bounds the resending variants */
#define ATTEMPTS 3
#define MASK 4 /* more than gateways: a message is its sender and its attempt */

#define MOVE(from, to, when) (st == from && (when)) -> st = to
#define BROKEN(from, to, when) (st == from && (when)) -> st = to

byte st = READY;
byte owner = NOBODY;
byte execs = 0, wires = 0, crashes = 0;
byte att = 0; /* the current attempt, counted where there can be more than one */
byte refused = 0; /* what the books of the venue show: a bit for each attempt refused for good */
bool killed = false;
bool known = false; /* the books hold the attempt, and so its tag */
bool found = false; /* an order of ours that the books did not hold was adopted by its tag */
bool vanished = false; /* missing is not flat: it is looked for again */
bool replaced = false; /* the operator has sent another in its place */
bool claimed_killed = false;
bool pre[GATEWAYS]; /* between the commit of the claim and the first byte */
chan net = [3] of { byte };

#ifdef REQUOTE
#define REPLIES 2
#define ATTEMPT att++; mine = att
#else
#define REPLIES 1
#define ATTEMPT skip
#endif
chan reply[GATEWAYS] = [REPLIES] of { byte }; /* twice the attempt, plus one when refused */

#if defined(EXIT) && !defined(KILL_STOPS_EXITS)
#define STOPS false /* no halt stands before an exit */
#else
#define STOPS killed
#endif

#define ANSWER(to, said) if :: nfull(reply[to]) -> reply[to]!said :: full(reply[to]) -> skip fi
#define MAY_DIE \
  if :: atomic { crashes < CRASHES -> crashes++; pre[me] = false; goto boot } :: skip fi

proctype Venue() {
  byte got;
end:
  do
  :: atomic {
      net?got ->
      if
#ifdef DEDUPES
      :: execs > 0 -> skip /* a tag it has seen: nothing new */
#endif
      :: else ->
         execs++;
         assert(execs <= 1); /* never two executions of one intent */
         assert(!replaced); /* nor one beside the order that took its place */
      fi;
      if :: ANSWER(got % MASK, 2 * (got / MASK)) :: skip fi }
#ifdef REQUOTE
  :: atomic {
      net?got -> refused = refused | (1 << (got / MASK));
      if
      :: ANSWER(got % MASK, 2 * (got / MASK) + 1)
      :: ANSWER(got % MASK, 2 * (got / MASK) + 1); ANSWER(got % MASK, 2 * (got / MASK) + 1)
      :: skip
      fi }
#endif
  :: atomic { net?got -> skip } /* the request was lost */
  od
}

proctype Gateway(byte me) {
  byte said, mine = 0;
  bool seen, was_killed;
  bool young = false; /* it claimed in this run: the row is of its own epoch */

boot:
  atomic {
    pre[me] = false; young = false; seen = false; was_killed = false;
    do :: reply[me]?said :: empty(reply[me]) -> break od;
    said = 0; mine = 0 }
idle:
end:
  do
  /* --- the claim: judged and written in one transaction --- */
#if defined(READ_THEN_WRITE)
  :: st == READY && !STOPS -> /* read */
     atomic { st = SENDING; known = true; owner = me; pre[me] = true; young = true } goto send
#elif defined(KILL_READ_OUTSIDE)
  :: st == READY ->
     was_killed = killed;
     if :: was_killed -> goto idle :: else -> skip fi;
     atomic {
       if
       :: BROKEN(READY, SENDING, true);
          known = true; owner = me; pre[me] = true; young = true; claimed_killed = killed
       :: else -> goto idle
       fi }
     assert(!claimed_killed); goto send
#elif defined(SEND_THEN_JOURNAL)
  :: atomic { st == READY && !STOPS && (owner == NOBODY || owner == me) ->
       owner = me; pre[me] = true } goto send
#else
  :: atomic {
       MOVE(READY, SENDING, !STOPS);
       ATTEMPT; known = true; owner = me; pre[me] = true; young = true; claimed_killed = STOPS }
     assert(!claimed_killed); /* no opening is claimed once the kill switch is engaged */
     goto send
#endif
  :: atomic { MOVE(READY, STOPPED, STOPS) }
#ifdef REQUOTE
  :: atomic { MOVE(REQUOTED, READY, att < ATTEMPTS) } /* the same key asks again */
  :: atomic { MOVE(REQUOTED, REFUSED, true) }
#endif
  /* --- a row that was left SENDING: at the start of the next run, by another gateway whose owner
         may still live, or by this one when its outcome could not be written --- */
#if defined(RECOVER_TO_READY)
  :: atomic { BROKEN(SENDING, READY, owner == me) }
#elif defined(OWN_SENDING_FORGOTTEN)
  :: atomic { BROKEN(SENDING, UNKNOWN, owner == me && (!young || execs > 0)) }
#else
  :: atomic { MOVE(SENDING, UNKNOWN, owner == me) }
#endif
#ifndef OWN_SENDING_FORGOTTEN
  :: atomic { MOVE(SENDING, UNKNOWN, owner != me); owner = me }
#endif
  /* --- an unknown outcome is looked for by its tag --- */
  :: st == UNKNOWN ->
     seen = execs > 0; /* a snapshot: it may be old at once */
     MAY_DIE;
     if
     :: seen -> atomic { if :: MOVE(UNKNOWN, TRACKED, known) :: else -> skip fi }
     :: else ->
#if defined(BLIND_RESEND) || defined(RESEND_IF_NOT_FOUND)
        atomic {
          if
          :: BROKEN(UNKNOWN, SENDING, wires < WIRES); owner = me; pre[me] = true; goto send
          :: else -> if :: MOVE(UNKNOWN, PARKED, true) :: else -> skip fi
          fi }
#elif defined(NOT_FOUND_IS_REJECTED)
        atomic { if :: BROKEN(UNKNOWN, REFUSED, true) :: else -> skip fi }
#else
        atomic { if :: MOVE(UNKNOWN, PARKED, true) :: else -> skip fi }
#endif
     fi;
     seen = false
  /* --- the sweep: what the venue holds under our tag is adopted, for ever --- */
#ifndef NOT_FOUND_IS_REJECTED
  :: atomic { MOVE(UNKNOWN, TRACKED, execs > 0 && known) }
#ifndef PARKED_FORGOTTEN
  :: atomic { MOVE(PARKED, TRACKED, execs > 0 && known) }
#endif
  :: atomic { MOVE(REFUSED, TRACKED, execs > 0 && known) }
  :: atomic { MOVE(NOT_SENT, TRACKED, execs > 0 && known) }
  :: atomic { MOVE(NOT_PLACED, TRACKED, execs > 0 && known) }
  :: atomic { MOVE(STOPPED, TRACKED, execs > 0 && known) }
  :: atomic { MOVE(READY, TRACKED, execs > 0 && known) }
  :: atomic { MOVE(REQUOTED, TRACKED, execs > 0 && known) }
  :: atomic { MOVE(TRACKED, UNKNOWN, !vanished); vanished = true } /* a scan that does not show it */
  :: atomic { execs > 0 && !known && !found -> found = true }
#ifdef REQUOTE
  :: atomic { MOVE(UNKNOWN, REFUSED, refused & (1 << att)) }
  :: atomic { MOVE(PARKED, REFUSED, refused & (1 << att)) }
#endif
#endif
  od;

send:
  MAY_DIE;
#ifndef SEND_THEN_JOURNAL
  if
  :: atomic { pre[me] = false; /* too late, or halted: nothing has left and nothing will */
       if :: MOVE(SENDING, NOT_SENT, owner == me && mine == att) :: else -> skip fi } goto idle
  :: skip
  fi;
#endif
  atomic {
    pre[me] = false;
    if
    :: wires < WIRES -> wires++; if :: nfull(net) -> net!(me + MASK * mine) :: full(net) -> skip fi
    :: else -> goto idle
    fi }
  MAY_DIE;
  if :: reply[me]?said -> skip :: goto overdue fi;
  MAY_DIE;
#ifdef REQUOTE
  if
  :: said % 2 ->
     atomic {
       if
#ifdef REFUSAL_OF_ANY_ATTEMPT
       :: BROKEN(SENDING, REQUOTED, owner == me)
#else
       :: MOVE(SENDING, REQUOTED, owner == me && said / 2 == att)
       :: MOVE(SENDING, REFUSED, owner == me && said / 2 == att)
#endif
       :: else -> skip /* the row has moved: the reply changes nothing */
       fi }
     goto idle
  :: else -> skip
  fi;
#endif
  atomic {
    if
    :: MOVE(SENDING, TRACKED, owner == me && said / 2 == att)
#ifdef SEND_THEN_JOURNAL
    :: BROKEN(READY, TRACKED, true); known = true
#endif
    :: else -> skip
    fi }
  goto idle;
overdue:
#if defined(BLIND_RESEND)
  atomic {
    if
    :: st == SENDING && wires < WIRES -> pre[me] = true; goto send
    :: else -> if :: BROKEN(SENDING, PARKED, true) :: else -> skip fi
    fi }
  goto idle
#elif defined(SEND_THEN_JOURNAL)
  atomic { if :: st == READY -> owner = NOBODY :: else -> skip fi }
  goto idle
#else
  if
  :: atomic { if :: MOVE(SENDING, UNKNOWN, owner == me) :: else -> skip fi }
  :: skip /* the outcome could not be written */
  fi;
  goto idle
#endif
}

#define PRE(n) (pre[0] || pre[1] || (n > 2 && pre[n - 1]))
#ifdef NO_SEND_DEADLINE
#define OVER empty(net) /* the window knows the venue alone, not the gateway that woke late */
#else
#define OVER (empty(net) && !PRE(GATEWAYS))
#endif
proctype Human() {
#ifdef HUMAN
#ifdef RESOLVE_AT_ONCE
end:
  atomic { BROKEN(PARKED, NOT_PLACED, true); replaced = true }
#else
end: /* the settle window is over, and a fresh scan finds nothing */
  if
  :: atomic { MOVE(PARKED, NOT_PLACED, OVER && execs == 0); replaced = true }
  :: atomic { MOVE(PARKED, TRACKED, OVER && execs == 0); replaced = true } /* was there, is gone */
  fi
#endif
#else
  skip
#endif
}

/* Older books come back while what was sent is still under way. */
proctype Restore() {
#ifdef RESTORE
end:
  atomic {
    st != READY && st != STOPPED ->
    st = READY; known = false; owner = NOBODY;
#ifndef RESTORED_GOES_ON
    killed = true /* older than the anchor: nothing opens until a human has looked */
#endif
  }
#else
  skip
#endif
}

proctype Kill() { killed = true }

proctype Monitor() {
end:
  do
  :: timeout -> /* nothing else can move */
     assert(!(execs > 0 && st != TRACKED && !found)); /* what was executed is tracked */
     assert(st != SENDING && st != UNKNOWN && st != READY && st != REQUOTED); /* nothing is stuck */
#ifdef EXIT
     assert(st != STOPPED); /* an exit is never trapped */
#endif
     break
  od
}

init {
  atomic {
    run Venue(); run Gateway(0); run Gateway(1);
#if GATEWAYS > 2
    run Gateway(2);
#endif
    run Kill(); run Human(); run Restore(); run Monitor()
  }
}

#ifdef REACH /* must be found violated, or a zero of the lane above means nothing */
#ifndef FIRST
#define FIRST true
#endif
active proctype Reach() {
end:
  atomic { (FIRST) -> skip }
end_then:
  atomic { (REACH) -> assert(false) }
}
#endif
