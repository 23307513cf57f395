#!/usr/bin/env bash
# An ablation as a job array of a Slurm of its own on this machine, with tasks that are cancelled, queued again and
# stopped before a time limit, and a node that is drained, gives the same bits as the plain command. Needs CIFAR-10
# (`cargo xtask data cifar-10`) and Debian's packages slurm-wlm and munge, of which it starts the daemons and ends them:
#
#   crates/kaggle/tests/slurm.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
export PATH=$PATH:/usr/sbin
cargo build --quiet -p kaggle --bin kaggle
kaggle=$(realpath "${CARGO_TARGET_DIR:-target}/debug/kaggle")
dir=$(mktemp -d)
export SLURM_CONF=$dir/slurm.conf

end() {
    local status=$?
    scancel --user="$(id -un)" 2>"$dir/ignored" || true
    for daemon in slurmd slurmctld munged; do
        [ ! -s "$dir/$daemon.pid" ] || kill "$(cat "$dir/$daemon.pid")" || true
    done
    if [ "$status" -eq 0 ]; then
        sleep 1
        rm -rf "$dir"
    else
        tail -n 30 "$dir"/*.log "$dir"/array/slurm-* || true
        echo "failed; what was written is in $dir"
    fi
}
trap end EXIT

# until_ WHAT COMMAND...: waits until the command succeeds, for six minutes at most: a task that is queued again begins
# after two.
until_() {
    local what=$1 last=$((SECONDS + 360))
    shift
    until "$@" >"$dir/last" 2>&1; do
        [ "$SECONDS" -lt "$last" ] || { echo "not in six minutes: $what"; cat "$dir/last"; exit 1; }
        sleep 0.1
    done
    echo "$SECONDS s: $what"
}

host=$(hostname -s)
mkdir "$dir/state" "$dir/spool" "$dir/serial" "$dir/array"
(umask 077 && head -c 1024 /dev/urandom >"$dir/key")
cat >"$SLURM_CONF" <<CONF
ClusterName=trial
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthInfo=socket=$dir/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
SlurmctldPort=$((20000 + RANDOM % 10000))
SlurmdPort=$((30000 + RANDOM % 2000))
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=0
SlurmdParameters=config_overrides
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=2
PartitionName=all Nodes=ALL Default=YES State=UP
CONF
munged --socket="$dir/munge" --key-file="$dir/key" --pid-file="$dir/munged.pid" --log-file="$dir/munged.log" \
    --seed-file="$dir/seed" --force 2>"$dir/ignored"
slurmctld
slurmd
node_is() { sinfo --noheader --format=%T | grep --quiet --extended-regexp "$1"; }
until_ 'the node is idle' node_is idle

ablate=("$kaggle" ablate --smoke --seeds 0,1 --parts flip --threads 1 --checkpoint-every 2 --output out)
(cd "$dir/serial" && "${ablate[@]}" --quiet >table)
echo "$SECONDS s: four trainings by the plain command"

cd "$dir/array"
"${ablate[@]}" --emit slurm --at-a-time 2 >job.sh
submit() { sbatch --parsable job.sh; }
# state N WORD: whether the list says so of the task; reached N: whether it has begun to write checkpoints within an epoch.
state() { "${ablate[@]}" --status | grep --quiet --extended-regexp "^ *$1  $2 "; }
record=(full/seed-0 full/seed-1 flip/seed-0 flip/seed-1)
reached() {
    state "$1" running && [ "$(wc -l <"out/cifar10-ablation-smoke/${record[$1]}/metrics.csv")" -gt 6 ]
}
# Of a job array, the tasks that wait or run.
queue() { squeue --noheader --array --format='%K %T %r'; }
queued() { queue | grep --quiet --extended-regexp "$1"; }
empty() { [ -z "$(queue)" ]; }

id=$(submit)
until_ 'task 0 is in the middle' reached 0
if "${ablate[@]}" --task 0 >taken 2>&1; then
    echo 'two workers did one task' && exit 1
fi
grep --quiet 'task 0 (full/seed-0) is being done by another process' taken
scancel "${id}_0"
until_ 'task 0 is cancelled' state 0 interrupted
until_ 'task 1 is in the middle' reached 1
scontrol requeue "${id}_1"
until_ 'task 1 waits to begin again' queued '^1 PENDING'
until_ 'task 2 is in the middle' reached 2
scontrol update nodename="$host" state=drain reason=trial
until_ 'the node is drained' node_is '^drained'
if ! queued PENDING || queued RUNNING; then
    echo 'nothing waits for the node' && exit 1
fi
scontrol update nodename="$host" state=resume
until_ 'the array has ended' empty
if "${ablate[@]}" --collect >missing 2>&1; then
    echo 'a cancelled task was collected' && exit 1
fi
grep --quiet '1 of 4 tasks are not finished' missing
grep --quiet -- '(full/seed-0, interrupted): .* --task 0' missing

id=$(submit)
until_ 'task 0 is running again' state 0 running
sleep 1
# What Slurm does before the time limit.
scancel --signal=USR1 --batch "${id}_0"
until_ 'task 0 waits to begin again' queued '^0 PENDING'
until_ 'the array has ended' empty
"${ablate[@]}" --collect --quiet
"${ablate[@]}" --collect >table
diff table ../serial/table
for record in "${record[@]}"; do
    for file in metrics.csv parameters.npz config.toml confusion.csv; do
        cmp "out/cifar10-ablation-smoke/$record/$file" "../serial/out/cifar10-ablation-smoke/$record/$file"
    done
done
echo "$SECONDS s: the same bits"
