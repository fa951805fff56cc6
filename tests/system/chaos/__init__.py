"""The chaos course: a constant mixed load through nginx while workers are killed, configurations,
programs and the daemon itself are replaced, and at last the bridge is killed.

    site      the daemon and the front servers that are disturbed
    ledger    what became of every request
    clients   the load, one class for each kind of client
    journal   what was done to the daemon, and when
    disturber who kills workers, who gives commands, who kills bridges
    leaks     descriptors, zombies, memory, and what else must not be left over
    verdict   which outcomes are right
    course    the order of events
    report    all counts, as text

What a client may see (DESIGN: "What happens when") follows from what was done to its worker:

* An idempotent request (GET, HEAD, PUT, with its body held) whose worker dies before the response
  head is answered by a second worker. That is tried once, so whoever kills that second worker too
  fails the request by right. Hence the next worker is killed only when every request that was
  without a response head at the last kill has one: no request ever loses two workers, on a machine
  however slow, and not one of them may fail.
* A response has begun with its head. The short ones here are written to the link in one piece, by
  apps that send nothing else, so no worker dies inside of them: those may not break either. The long
  ones, downloads and event streams, have apps of their own and do break when their worker is killed.
  The client must be able to see it: what is complete by Content-Length or by its last chunk is
  compared with what was asked for, and is a failure when it differs. A broken response names its
  worker in its head, and that worker must be one that was killed. An event stream goes on behind the
  last event received, without a gap; a download is begun anew.
* A POST that was in a killed worker is answered 502, and with nothing else.
* A bridge that is killed takes along the requests inside it: those that were open between the kill
  and the first answer of the next bridge. All others must do as above. A process that is killed
  can only close its connections, and nginx without its buffers (fastcgi_buffering off, or a response
  that asks for it) takes that for the end of the response, and would keep the connection to a client
  that has not got all of its Content-Length: those clients ask for it to be closed. Responses without
  a length that are cut so are counted apart. When a worker is killed, the bridge tells nginx that the
  response is broken.

Workers are killed by SIGKILL, which no program can do anything about, now and then by a signal of
a crash; not so often that the guard against poisonous routes would close one (three crashes of an
app within a minute). Only those that are ready are killed: one that is killed while it starts makes
a reload fail by right. And only where two others of the app are ready: an app that has none that is
ready or starting answers 503 by right.
"""
