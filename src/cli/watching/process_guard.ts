/**
 * Ends every process that the commands of a watch started, when the watch ends.
 *
 * A command runs in its own session, which its children inherit. A small shell
 * beside the watch, the guard, knows these sessions. Its standard input is a
 * pipe from the watch. The pipe closes when the watch ends, even if `SIGKILL`
 * kills it; then the guard ends the sessions. It is a shell because `Deno.kill`
 * needs the permission to run everything, and `sh` is permitted.
 *
 * The invariant: when `end` has resolved, no process of a session is left, nor
 * a descendant with its own session. A daemon that left its session and its
 * parent before is not found.
 *
 * @module
 */

/** How long processes may take to end after `SIGTERM`, in s. */
const GRACE = 5;

/**
 * How long an ended session is remembered, in ms. The system may give its id to
 * another process later. Looking for ended sessions costs about 0.3 ms for each
 * process of the machine, so it is not done after each command.
 */
const PRUNE_AFTER = 10_000;

/**
 * The guard. `tree` has the processes to end. A process stays in it when its
 * parent ends, so a process with its own session is not lost.
 */
const GUARD = `
trap '' HUP INT QUIT TERM
sessions=' ' tree=' ' told=' '

# A line for each process: its id, its parent, its session, its state.
# Without /proc, the process group stands for the session.
processes() {
  if [ -r /proc/self/stat ]; then
    for file in /proc/[0-9]*/stat; do
      { read -r line <"$file"; } 2>/dev/null || continue
      id=\${line%% *}
      set -- \${line##*) }
      echo "$id $2 $4 $1"
    done
  else
    ps -A -o pid= -o ppid= -o pgid= -o state=
  fi
}

scan() {
  table=$(processes) found=$tree tree=' ' alive=' ' count=-1
  while [ "$count" != "\${#tree}" ]; do
    count=\${#tree}
    while read -r id parent session state; do
      case $state in Z* | X*) continue ;; esac
      case $sessions in *" $session "*)
        case $alive in *" $session "*) ;; *) alive="$alive$session " ;; esac
        parent=$id found="$found$id " ;;
      esac
      case $tree in *" $id "*) continue ;; esac
      case $found$tree in *" $id "* | *" $parent "*) tree="$tree$id " ;; esac
    done <<END
$table
END
  done
}

# First the shells, which may end what they started in good order. When they are
# gone, or after some rounds, all others, and what was started meanwhile.
tell() {
  all=$tree
  if [ "$rounds" -lt 5 ]; then
    for id in $sessions; do
      case $tree in *" $id "*) all=$sessions ;; esac
    done
  fi
  for id in $all; do
    case $told in *" $id "*) continue ;; esac
    case $tree in *" $id "*) ;; *) continue ;; esac
    told="$told$id "
    kill -TERM "$id" 2>/dev/null
  done
}

nap() { sleep 0.1 2>/dev/null || sleep 1; }

while read -r verb id; do
  case $verb in
    run) sessions="$sessions$id " ;;
    prune) scan; sessions=$alive tree=' ' ;;
  esac
done

rounds=0 start=$(date +%s)
while scan; [ "$tree" != ' ' ]; do
  past=$(($(date +%s) - start))
  if [ "$past" -lt "$1" ]; then tell
  elif [ "$past" -lt $(($1 * 2)) ]; then kill -KILL $tree 2>/dev/null
  else exit 1
  fi
  nap
  rounds=$((rounds + 1))
done
`;

/** Whether commands run in sessions of their own. */
export const HAS_SESSIONS = Deno.build.os !== "windows";

/** Ends the processes that the commands of one watch started. */
export interface ProcessGuard extends AsyncDisposable {
  /** Watches over a command, which leads a session, and over all its processes. */
  add(pid: number): Promise<void>;
  /** Says that a command has ended. Its processes may still run. */
  hasEnded(): void;
  /** Ends all that runs: first with `SIGTERM`, after 5 s with `SIGKILL`. Waits for the end. */
  end(): Promise<void>;
}

/** Starts a guard, which runs until the watch ends. */
export function startGuard(): ProcessGuard {
  const guard = new Deno.Command("sh", {
    args: ["-c", GUARD, "zestor-guard", `${GRACE}`],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
    // Signals from the terminal are for the watch.
    detached: true,
  }).spawn();
  const writer = guard.stdin.getWriter();
  const encoder = new TextEncoder();
  const write = (line: string) => writer.write(encoder.encode(`${line}\n`));
  let pruning: ReturnType<typeof setTimeout> | undefined;
  const prune = () => {
    pruning = undefined;
    // If the guard was ended, the next command reports it.
    write("prune").catch(() => {});
  };
  const end = async () => {
    clearTimeout(pruning);
    await writer.close().catch(() => {});
    await guard.status;
  };
  return {
    async add(pid) {
      try {
        await write(`run ${pid}`);
      } catch (cause) {
        throw new Error(
          "the shell that ends the commands' processes was killed; start the watch again",
          { cause },
        );
      }
    },
    hasEnded() {
      if (pruning !== undefined) return;
      pruning = setTimeout(prune, PRUNE_AFTER);
      Deno.unrefTimer(pruning);
    },
    end,
    [Symbol.asyncDispose]: end,
  };
}
