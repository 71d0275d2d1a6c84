#!/usr/bin/env bash
# Runs the array job on a Slurm of its own: one node on this machine, made for this and taken down again.
#
#   deploy/slurm/try.sh target/release/deepvis
#
# It needs root and Debian's packages slurmctld, slurmd and munge (or slurm-wlm); without them it says that it is skipped.
set -euo pipefail

deepvis=$(realpath "${1:?usage: deploy/slurm/try.sh DEEPVIS}")
recipe=$(realpath "$(dirname "$0")/array.sbatch")

for program in munged slurmctld slurmd sbatch; do
  if [ "$(id -u)" != 0 ] || ! command -v "$program" > /dev/null; then
    echo "SKIPPED: $program is not here, or this is not root, so the Slurm recipe is not run"
    exit 0
  fi
done

place=$(mktemp -d)
host=$(hostname -s)
pids=()
cleanup() {
  status=$?
  [ "$status" = 0 ] || tail -n 20 "$place"/*.log "$place"/deepvis-*.log 2> /dev/null || true
  kill "${pids[@]}" 2> /dev/null || true
  wait 2> /dev/null || true
  rm -rf "$place"
  exit "$status"
}
trap cleanup EXIT

mkdir -p "$place"/{munge,state,spool,work}
chmod 755 "$place"
dd if=/dev/urandom of="$place/munge/key" bs=128 count=1 status=none
chmod 700 "$place/munge" && chmod 600 "$place/munge/key"
socket="$place/munge.socket"
munged --foreground --force --key-file="$place/munge/key" --socket="$socket" --log-file="$place/munge/log" \
  --pid-file="$place/munge/pid" --seed-file="$place/munge/seed" > "$place/munged.log" 2>&1 &
pids+=($!)

cat > "$place/slurm.conf" << CONF
ClusterName=try
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$socket
CryptoType=crypto/munge
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=$place/state
SlurmdSpoolDir=$place/spool
SlurmctldLogFile=$place/slurmctld.log
SlurmdLogFile=$place/slurmd.log
SlurmctldPidFile=$place/slurmctld.pid
SlurmdPidFile=$place/slurmd.pid
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=2000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF="$place/slurm.conf"
slurmctld -D -f "$SLURM_CONF" > "$place/slurmctld.out.log" 2>&1 &
pids+=($!)
slurmd -D -f "$SLURM_CONF" > "$place/slurmd.out.log" 2>&1 &
pids+=($!)

for _ in $(seq 60); do
  if sinfo --noheader --format=%t 2> /dev/null | grep -q idle; then break; fi
  sleep 1
done
sinfo

cd "$place/work"
export DEEPVIS="$deepvis"
units=(--model demo --push-layer fc7 --push-channel all --max-iter 20 --skipbig --output-prefix results/opt)
sbatch --wait --array=1-4 --cpus-per-task=1 --mem-per-cpu=0 --time=10 "$recipe" "${units[@]}"

complete=$(find results -name '*_info.txt' | wc -l)
logged=$(cat results/runs-*-of-4.jsonl | wc -l)
echo "4 tasks: $complete units complete, $logged logged, $(find results -name 'runs-*.jsonl' | wc -l) logs"
[ "$complete" = 32 ] && [ "$logged" = 32 ]

# The same command again has nothing left to do.
rm results/opt_fc7_0007_0_info.txt
sbatch --wait --array=1-4 --cpus-per-task=1 --mem-per-cpu=0 --time=10 "$recipe" "${units[@]}"
[ "$(find results -name '*_info.txt' | wc -l)" = 32 ] && [ "$(cat results/runs-*-of-4.jsonl | wc -l)" = 33 ]
echo "the Slurm recipe works, and goes on where something is missing"
