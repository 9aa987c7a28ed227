/* The job of a remote terminal: two agents (a restart, a double installation, a zombie) poll the
   row that the server keeps. An offer may be made again; a start never is.

   QUEUED -> OFFERED (a rising token) -> STARTED (compare-and-set with the token, kill switch read)
   -> the agent writes its local journal -> order_send. Offers, starts and results may be lost; the
   local journal survives a crash. Nothing of this is built yet: the model is what it will be built by.

   EXIT: the job only reduces risk. Broken variants are names defined at compile time. */
#ifndef CRASHES
#define CRASHES 2
#endif
#define OFFERS 5 /* bounds the tokens */
#if defined(EXIT) && !defined(KILL_STOPS_EXITS)
#define STOPS false
#else
#define STOPS killed
#endif

#define QUEUED 0
#define OFFERED 1
#define STARTED 2
#define DONE 3
#define UNKNOWN 4
#define PARKED 5
#define CANCELLED 6

byte job = QUEUED;
byte token = 0;
byte execs = 0, crashes = 0;
bool killed = false;
bool started_killed = false;
bool inflight[2]; /* the durable journal of each agent */
byte journaled[2]; /* the token it was written for */

#define MAY_DIE if :: atomic { crashes < CRASHES -> crashes++; goto boot } :: skip fi

proctype Agent(byte me) {
  byte mine;
  bool ok;
boot:
  mine = 0;
  ok = false;
  if
  :: inflight[me] ->
#ifdef JOURNAL_RUN_AGAIN
     mine = journaled[me]; goto send
#else
     inflight[me] = false /* reported in doubt, never run again */
#endif
  :: else -> skip
  fi;
idle:
end:
  do
  :: atomic {
       (job == QUEUED && token < OFFERS) ->
       token++; mine = token;
#ifdef ONE_PHASE
       job = STARTED
#else
       job = OFFERED
#endif
     }
     if :: skip :: goto idle fi; /* the offer may be lost */
     MAY_DIE;
#ifndef ONE_PHASE
     atomic {
       ok = false;
       if
#if defined(NO_TOKEN_CHECK)
       :: ((job == OFFERED || job == STARTED) && !STOPS) -> job = STARTED; ok = true
#elif defined(NO_KILL_CHECK)
       :: (job == OFFERED && token == mine) ->
          job = STARTED; ok = true; started_killed = started_killed || killed
#else
       :: (job == OFFERED && token == mine && !STOPS) -> job = STARTED; ok = true
#endif
       :: else -> skip
       fi }
     assert(!started_killed); /* no opening is started once the kill switch is engaged */
     if :: ok -> skip :: else -> goto idle fi;
     if :: skip :: goto idle fi; /* so may the answer: then the agent must not send */
#endif
     inflight[me] = true;
     journaled[me] = mine;
     MAY_DIE;
send:
     atomic { execs++; assert(execs <= 1) } /* order_send reaches the broker once at most */
     MAY_DIE; /* or it returned nothing, or 10012 */
     if
     :: atomic { (job == STARTED || job == UNKNOWN || job == PARKED) -> job = DONE }
     :: skip /* the result was lost */
     fi;
     inflight[me] = false;
     goto idle
  od
}

proctype Server() {
end:
  do
  :: atomic { (job == OFFERED && token < OFFERS) -> job = QUEUED } /* the offer ran out */
#if defined(ONE_PHASE) || defined(STARTED_OFFERED_AGAIN)
  :: atomic { (job == STARTED && token < OFFERS) -> job = QUEUED }
#else
  :: atomic { job == STARTED -> job = UNKNOWN } /* its result is overdue */
#endif
  :: atomic { (job == UNKNOWN && execs == 0) -> job = PARKED } /* no trace by its number, so far */
  :: atomic { ((job == UNKNOWN || job == PARKED) && execs > 0) -> job = DONE }
  :: atomic { ((job == QUEUED || job == OFFERED) && STOPS) -> job = CANCELLED; token++ }
  od
}

proctype Kill() { killed = true }

proctype Monitor() {
end:
  do
  :: timeout ->
     assert(!(execs > 0 && job != DONE)); /* what was executed is tracked */
#ifdef EXIT
     assert(job != CANCELLED); /* an exit is never trapped */
#endif
     break
  od
}

init { atomic { run Agent(0); run Agent(1); run Server(); run Kill(); run Monitor() } }

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
