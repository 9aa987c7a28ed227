/* One position and its stops at a plain exchange, which attaches nothing, replaces nothing and
   bounds nothing: is the position ever without a stop and without a plan, and can exits turn it
   round?

   The guard is a durable row: the stop that is wanted, and what a close under way is to leave. One
   walker takes one step at a time, each found from a fresh read of the venue as next_step in
   order/exits/plan.py finds it, and may die between any two. A stop may fire at any time. A request
   may be lost, its reply may be lost, or it may be executed late: each uses up one of FAULTS.

   What a plain exchange cannot exclude is allowed for, and marked `excused`: both stops of a
   replacement fire, or the venue executes late what nobody knew the fate of. Then the excess is
   taken at once. Targets, trails and positions that grow are left out.

   Broken variants are names defined at compile time; formal/run.py lists them. */
#ifndef FAULTS
#define FAULTS 1
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#define LOTS 2
#define SLOTS 6 /* every stop that is ever placed has its own, as it has its own id */
#define NONE 9

/* A stop is its lots, plus FAR where it rests farther away than the nearer one asked for later. */
#define FAR 4
#define SIZE(i) (leg[i] % FAR)
#define STOPS (SIZE(0) + SIZE(1) + SIZE(2) + SIZE(3) + SIZE(4) + SIZE(5))
/* What the walker goes by: the fresh read. */
#ifdef CANCEL_TAKEN_FOR_DONE
#define SEEN(i) (leg[i] * !((dropped >> i) & 1))
byte dropped = 0;
#else
#define SEEN(i) leg[i]
#endif
#define GOOD(i) (SEEN(i) != 0 && (far || SEEN(i) < FAR))
#define COVER(i) (GOOD(i) * SIZE(i))
#define COVERED (COVER(0) + COVER(1) + COVER(2) + COVER(3) + COVER(4) + COVER(5))
#define BAD(i) (SEEN(i) != 0 && !GOOD(i))
#define SPARE(i) (GOOD(i) && SIZE(i) <= covered - cover)
#define LARGE(i) (SPARE(i) && SIZE(i) > 1)
#define SMALL(i) (GOOD(i) && SIZE(i) == 1)
/* The same scene gives the same step: the first that fits, in the order of the books. */
#define FIRST_OF(fits) \
  (fits(0) -> 0 : (fits(1) -> 1 : (fits(2) -> 2 : (fits(3) -> 3 : (fits(4) -> 4 : 5)))))
#define ANY(fits) (fits(0) || fits(1) || fits(2) || fits(3) || fits(4) || fits(5))
#define ONE(fits) n = FIRST_OF(fits)

/* the venue */
short held = LOTS; /* below zero: exits have turned the position round */
byte leg[SLOTS];
byte placed = 0;
byte closes = 0; /* lots that closes have executed */
byte late_put = 0, late_drop = NONE, late_close = 0; /* under way, of unknown fate */
/* the books */
bool guarded = true;
bool far = true; /* the stop that is wanted is the first one */
byte keep = NONE; /* lots that a close under way leaves */
byte sent = 0; /* lots of a close that is journaled and has no outcome */
bool doubt = false; /* nobody knows what became of it */
bool parked = false; /* and a human was told */
bool executed = false; /* its tag stands in the books of the venue */

byte faults = 0, crashes = 0;
bool news = true; /* something has happened since the last read */
bool excused = false;
bool late_cancel = false; /* a stop went late, when its cancel had been given up for lost */
bool calm = false;
bool turned = false; /* it was turned round, and the excess taken */
bool spent = false; /* out of slots: this history is followed no further */

inline place(lots) {
  if
  :: placed < SLOTS ->
     leg[placed] = lots; placed++;
     if :: STOPS > held -> excused = true :: else -> skip fi
  :: else -> spent = true
  fi
}

inline close(lots) {
  held = held - lots; closes = closes + lots;
  assert(closes <= LOTS); /* closes alone never ask for more than there was */
  assert(held >= 0 || excused) /* nor do all exits together */
}

proctype Market() {
  byte n;
end:
  do
  :: atomic { /* a stop fires */
       (!calm && STOPS > 0) ->
       if
       :: leg[0] -> n = 0 :: leg[1] -> n = 1 :: leg[2] -> n = 2
       :: leg[3] -> n = 3 :: leg[4] -> n = 4 :: leg[5] -> n = 5
       fi;
       held = held - SIZE(n); leg[n] = 0; news = true; n = 0;
       assert(held >= 0 || excused) }
  :: !calm -> calm = true /* no stop fires any more: what rests must do */
  :: atomic { late_put != 0 -> excused = true; place(late_put); late_put = 0; news = true }
  :: atomic { late_drop != NONE -> late_cancel = true; leg[late_drop] = 0; late_drop = NONE; news = true }
  :: atomic {
       late_close != 0 ->
       excused = true; close(late_close); late_close = 0; executed = true; news = true }
  od
}

#define MAY_DIE if :: atomic { crashes < CRASHES -> crashes++; goto boot } :: skip fi
#define FAULT faults < FAULTS -> faults++
#if defined(CLOSE_AGAIN_IN_DOUBT)
#define CLOSING (keep != NONE)
#else
#define CLOSING (keep != NONE && !doubt)
#endif
#ifdef DOUBT_UNPROTECTED
#define LEAVES (keep != NONE)
#else
#define LEAVES CLOSING
#endif

mtype = { PUT, DROP, REDUCE, REST };

proctype Walker() {
  mtype step = REST;
  byte n = 0, lots = 0, cover = 0, covered = 0;

boot: /* the next process: the row and the venue are all it knows */
  atomic {
    step = REST; n = 0; lots = 0; cover = 0; covered = 0; news = true;
#ifdef GUARD_IN_MEMORY
    if :: crashes > 0 -> guarded = false; keep = NONE :: else -> skip fi;
#endif
    if :: sent != 0 -> doubt = true :: else -> skip fi }
idle:
end:
  do
  :: atomic {
       (news && guarded && !spent) ->
       news = false;
       if
       :: held < 0 -> held = 0; turned = true; news = true /* the excess is taken */
       :: held == 0 && STOPS > 0 -> step = DROP; ONE(SIZE)
       :: held == 0 && STOPS == 0 -> guarded = false; keep = NONE
       :: held > 0 ->
          cover = held;
          if :: LEAVES && keep < held -> cover = keep :: else -> skip fi;
          covered = COVERED;
          if
#ifdef STOP_DROPPED_FIRST
          :: ANY(BAD) -> step = DROP; ONE(BAD)
          :: !ANY(BAD) && covered < cover -> step = PUT; lots = cover - covered
#else
          :: covered < cover -> step = PUT; lots = cover - covered
          :: covered >= cover && ANY(BAD) -> step = DROP; ONE(BAD)
#endif
#ifdef CLOSE_OVER_STOP
          :: covered > cover && !ANY(BAD) && CLOSING -> step = REDUCE; lots = held - cover
#define TRIMS !CLOSING
#else
#define TRIMS true
#endif
          :: covered > cover && !ANY(BAD) && TRIMS && ANY(SPARE) -> step = DROP;
             if :: ANY(LARGE) -> ONE(LARGE) :: else -> ONE(SPARE) fi
          :: covered > cover && !ANY(BAD) && TRIMS && !ANY(SPARE) -> /* a smaller one before the larger goes */
             if :: ANY(SMALL) -> ONE(SMALL) :: else -> ONE(GOOD) fi;
             step = PUT; lots = SIZE(n) - (covered - cover); n = 0
          :: covered == cover && !ANY(BAD) && keep != NONE && held <= keep ->
             keep = NONE; news = true
          :: covered == cover && !ANY(BAD) && CLOSING && held > keep ->
             step = REDUCE; lots = held - cover
          :: covered == cover && !ANY(BAD) && !CLOSING && !(keep != NONE && held <= keep) -> skip
          fi;
          cover = 0; covered = 0
       fi }
     if :: step == REST -> goto idle :: else -> break fi
#ifndef STRAYS_LEFT
  :: atomic { (!guarded && held <= 0 && STOPS > 0) -> guarded = true; news = true }
#endif
  :: atomic { (!guarded && held < 0) -> guarded = true; news = true }
  /* what became of a close in doubt: found by its tag, or parked until a human has looked */
  :: atomic { (doubt && executed) ->
       doubt = false; parked = false; executed = false; sent = 0; news = true }
  :: atomic { (doubt && !executed && !parked) -> parked = true; news = true }
  :: atomic { (parked && !executed && late_close == 0) -> /* the window is over */
       parked = false; doubt = false; sent = 0; news = true }
  od;

  MAY_DIE;
  if
  :: step == PUT ->
     lots = lots + far * FAR;
     if
     :: atomic { place(lots) }
     :: atomic { FAULT } /* lost */
     :: atomic { FAULT; place(lots) } /* its reply was lost: nothing here goes by it */
     :: atomic { (late_put == 0 && faults < FAULTS) -> faults++; late_put = lots }
     fi
  :: step == DROP ->
     if
     :: atomic {
          if
          :: leg[n] != 0 ->
             leg[n] = 0;
             /* protection goes only where more of it stays, or where a plan stands */
             assert(STOPS >= held || (keep != NONE && !doubt) || late_cancel)
          :: else -> skip
          fi }
     :: atomic { FAULT;
#ifdef CANCEL_TAKEN_FOR_DONE
          dropped = dropped | (1 << n)
#endif
        }
     :: atomic { (late_drop == NONE && faults < FAULTS) -> faults++; late_drop = n }
     fi
  :: step == REDUCE ->
     sent = lots; /* journaled before it is sent */
     MAY_DIE;
     if
     :: atomic { close(lots); executed = true } MAY_DIE; atomic { executed = false; sent = 0 }
     :: atomic { sent = 0; keep = NONE } /* refused: given up, and protected again */
     :: atomic { FAULT; doubt = true }
     :: atomic { FAULT; close(lots); executed = true; doubt = true }
     :: atomic { (late_close == 0 && faults < FAULTS) -> faults++; late_close = lots; doubt = true }
     fi
  fi;
  atomic { step = REST; n = 0; lots = 0; news = true }
  goto idle
}

proctype Person() {
  if
  :: atomic { (keep == NONE && guarded && held > 0) -> keep = 0; news = true }
  :: atomic { (keep == NONE && guarded && held > 1) -> keep = 1; news = true }
  :: skip
  fi;
  if
  :: atomic { far = false; news = true } /* the stop is brought nearer */
  :: skip
  fi
}

proctype Monitor() {
end:
  do
  :: timeout ->
     if
     :: spent -> skip
     :: else ->
        assert(held >= 0); /* what exits have opened is closed */
        assert(STOPS == held); /* what is held is protected, and nothing outlives the position */
        assert(keep == NONE || doubt) /* a close comes to its end, or a human was told */
     fi;
     break
  od
}

init { atomic { run Market(); run Walker(); run Person(); run Monitor() } }

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
