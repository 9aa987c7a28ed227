/* Orders that share one limit: is there ever more at the venue than the limit allows?

   Every order is one lot and is judged by its own process on its own look at the venue. A claim is
   one transaction: it counts what the look showed, what is reserved, and what was released after
   the mark that was taken before the look; then it reserves. Another transaction books what became
   of the order and releases. A look may be as old as it likes when its claim commits.

   Broken variants are names defined at compile time; formal/run.py lists them. */

/* model state    attempts, of an opening order
   @ASKED         -
   @DENIED        -
   @SENDING       SENDING AWAITING_PROMPT
   @UNKNOWN       UNKNOWN
   @PARKED        PARKED
   @WORKING       WORKING PARTIAL
   @ENDED         FILLED CANCELED VENUE_EXPIRED REPLACED REJECTED NOT_SENT
   @NOT_PLACED    RESOLVED_NOT_PLACED
   @OUTSIDE       APPLIED NOT_APPLIED */
#define ASKED 0
#define DENIED 1
#define SENDING 2
#define UNKNOWN 3
#define PARKED 4
#define WORKING 5
#define ENDED 6
#define NOT_PLACED 7

#ifndef ORDERS
#define ORDERS 3
#endif
#ifndef LIMIT
#define LIMIT 2
#endif
#ifndef CRASHES
#define CRASHES 1
#endif

/* Sets of orders are bits of a byte. */
#define BIT (1 << me)
#define COUNT(set) (((set) & 1) + (((set) >> 1) & 1) + (((set) >> 2) & 1) + (((set) >> 3) & 1))

byte st[ORDERS];
byte since[ORDERS]; /* of each order that is being judged: what was released after its mark */
byte held = 0; /* reserved in the books */
byte there = 0; /* rests at the venue, or makes up a position */
byte resting = 0; /* of these: may still fill or go */
byte over = 0; /* the books of the venue show it refused, cancelled or closed */
byte net = 0; /* requests under way */
byte pre = 0; /* claimed, and the first byte has not left */
byte crashes = 0;
bool closed = false;

#ifdef NO_MARK
#define RELEASED 0
#else
#define RELEASED since[me]
#endif
#ifdef UNKNOWN_NOT_COUNTED
#define DOUBTFUL(k) ((st[k] == UNKNOWN || st[k] == PARKED) << (k))
#define RESERVED (held & ~(DOUBTFUL(0) | DOUBTFUL(1) | DOUBTFUL(ORDERS - 1)))
#else
#define RESERVED held
#endif

#define MARKED(k) if :: st[k] == ASKED -> since[k] = since[k] | BIT :: else -> skip fi
#if ORDERS > 3
#define MARK_ALL MARKED(0); MARKED(1); MARKED(2); MARKED(3)
#else
#define MARK_ALL MARKED(0); MARKED(1); MARKED(2)
#endif
#define RELEASE held = held & ~BIT; MARK_ALL

proctype Venue(byte me) {
end:
  do
  :: atomic {
      net & BIT ->
      net = net & ~BIT;
      if
      :: there = there | BIT; resting = resting | BIT
      :: there = there | BIT
      :: over = over | BIT /* refused */
      :: skip /* lost */
      fi;
      assert(COUNT(there) <= LIMIT) } /* never more at the venue than the limit allows */
  :: atomic {
      resting & BIT ->
      resting = resting & ~BIT;
      if
      :: skip /* filled */
      :: there = there & ~BIT; over = over | BIT
      fi }
  :: atomic { /* one position is closed, and there is room again */
      (!closed && (there & BIT) && !(resting & BIT)) ->
      closed = true; there = there & ~BIT; over = over | BIT }
  od
}

proctype Order(byte me) {
  byte seen, copy;
  bool room;

idle:
end:
  do
  :: st[me] == ASKED ->
#ifdef MARK_AFTER_LOOK
     seen = there;
     since[me] = 0;
#else
     since[me] = 0;
     seen = there;
#endif
#if defined(CHECK_OUTSIDE_CLAIM)
     room = COUNT(seen | held | since[me]) < LIMIT;
     atomic {
       if
       :: room -> held = held | BIT; st[me] = SENDING; pre = pre | BIT
       :: else -> st[me] = DENIED
       fi;
#elif defined(READ_THEN_WRITE)
     copy = held; /* each gateway writes back what it read, its own added */
     atomic {
       if
       :: COUNT(seen | copy | since[me]) < LIMIT ->
          held = copy | BIT; st[me] = SENDING; pre = pre | BIT
       :: else -> st[me] = DENIED
       fi;
#else
     atomic {
       if
       :: COUNT(seen | RESERVED | RELEASED) < LIMIT ->
          held = held | BIT; st[me] = SENDING; pre = pre | BIT
       :: else -> st[me] = DENIED
       fi;
#endif
       seen = 0; copy = 0; room = false; since[me] = 0;
       /* every commit of a claim leaves reserved and filled within the limit */
       assert(st[me] == DENIED || COUNT(held | there) <= LIMIT) }
     if :: st[me] == DENIED -> goto idle :: else -> goto send fi
  /* --- left behind by a crash, or its outcome could not be written --- */
  :: atomic { st[me] == SENDING -> st[me] = UNKNOWN;
#ifdef RELEASE_ON_TIMEOUT
       RELEASE
#endif
     }
  /* --- what the books of the venue prove --- */
  :: atomic {
       ((st[me] == UNKNOWN || st[me] == PARKED) && (resting & BIT)) -> st[me] = WORKING }
  :: atomic {
       ((st[me] == UNKNOWN || st[me] == PARKED || st[me] == WORKING)
        && !(resting & BIT) && ((there | over) & BIT)) ->
       st[me] = ENDED; RELEASE }
  :: atomic {
       (st[me] == UNKNOWN && !((there | over) & BIT)) -> st[me] = PARKED;
#ifdef PARKING_RELEASES
       RELEASE
#endif
     }
  /* --- the operator settles it: the window is over and a fresh scan finds nothing --- */
#ifdef RESOLVE_AT_ONCE
  :: atomic { st[me] == PARKED -> st[me] = NOT_PLACED; RELEASE }
#else
  :: atomic {
       (st[me] == PARKED && !((net | pre | there | over) & BIT)) -> st[me] = NOT_PLACED; RELEASE }
#endif
  od;

send:
  if
  :: atomic { crashes < CRASHES -> crashes++; pre = pre & ~BIT; goto idle }
  :: atomic { pre = pre & ~BIT; /* too late, or halted: provably unsent */
       if :: st[me] == SENDING -> st[me] = ENDED; RELEASE :: else -> skip fi; goto idle }
  :: atomic { pre = pre & ~BIT; net = net | BIT }
  fi;
  if
  :: atomic { crashes < CRASHES -> crashes++; goto idle }
  :: atomic { /* the reply */
       (!(net & BIT) && ((there | over) & BIT)) ->
       if
       :: resting & BIT -> st[me] = WORKING
       :: else -> st[me] = ENDED; RELEASE
       fi; goto idle }
  :: goto idle /* no reply in time, or it could not be written */
  fi
}

proctype Monitor() {
  byte me;
end:
  do
  :: timeout -> /* nothing else can move */
     atomic {
       me = 0;
       do
       :: me < ORDERS ->
          assert(st[me] == DENIED || st[me] == PARKED || st[me] == ENDED || st[me] == NOT_PLACED);
#ifndef READ_THEN_WRITE
          /* what has ended holds nothing: the limit is not used up by the dead */
          assert(((held >> me) & 1) == (st[me] == PARKED));
#endif
          me++
       :: else -> break
       od }
     break
  od
}

init {
  atomic {
    run Venue(0); run Venue(1); run Venue(2);
    run Order(0); run Order(1); run Order(2);
#if ORDERS > 3
    run Venue(3); run Order(3);
#endif
    run Monitor()
  }
}

#ifdef REACH
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
