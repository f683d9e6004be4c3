#!/usr/bin/env bash
# hosts.sh COUNT RATE COMMAND...
#
# Runs a command with Open MPI on simulated hosts. Each host is a network namespace with its own host name. Its link has
# this rate in each direction (in the format of tc: 1gbit). All hosts share the machine's cores. Needs root and Linux;
# leaves nothing behind.
set -euo pipefail
if [ -z "${INSIDE:-}" ]; then
  INSIDE=1 exec unshare --net --mount --pid --fork --mount-proc bash "$0" "$@"
fi
unset INSIDE
count=$1 rate=$2
shift 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p /run/netns
# The namespaces' names are files, which are removed when this process ends.
mount -t tmpfs tmpfs /run/netns
ip link set lo up
ip link add switch type bridge
ip addr add 10.77.0.254/24 dev switch
ip link set switch up
for i in $(seq "$count"); do
  ip netns add "node$i"
  ip link add "link$i" type veth peer name eth0 netns "node$i"
  ip link set "link$i" master switch up
  ip -n "node$i" addr add "10.77.0.$i/24" dev eth0
  ip -n "node$i" link set eth0 up
  ip -n "node$i" link set lo up
  # A small burst, so that the rate applies to short messages too.
  tc qdisc add dev "link$i" root tbf rate "$rate" burst 256kb latency 100ms
  tc -n "node$i" qdisc add dev eth0 root tbf rate "$rate" burst 256kb latency 100ms
  echo "10.77.0.$i slots=1" >> "$scratch/hosts"
done
# Open MPI starts this script instead of ssh.
cat > "$scratch/agent" <<'AGENT'
#!/usr/bin/env bash
node=node${1##*.}
shift
exec ip netns exec "$node" unshare --uts bash -c "hostname $node; $*"
AGENT
chmod +x "$scratch/agent"
mpirun --allow-run-as-root --hostfile "$scratch/hosts" -n "$count" --map-by node --bind-to none \
  --mca plm_rsh_agent "$scratch/agent" --mca pml ob1 --mca btl tcp,self \
  --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 "$@"
