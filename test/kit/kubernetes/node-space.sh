# The first process of a node's own mount, network and process namespaces: it makes them look like a machine of
# their own, says so in the file $1/ready, and waits. When it dies, the kernel ends and unmounts all there is in them.
set -eu
folder=$1 address=$2

# Modules that nothing loads by itself; where they are built in, there need not be such a command.
modprobe --all overlay br_netfilter 2>/dev/null || true

# What a node writes outside its own folder: sockets and network namespaces, /var/lib/{kubelet,containerd,cni}, pods' logs.
mkdir -p "$folder/var-lib" "$folder/var-log/pods" "$folder/var-log/containers" "$folder/sysctl"
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/lock
mount --bind "$folder/var-lib" /var/lib
mount --bind "$folder/var-log" /var/log
# Pods may ask for mount propagation, which ends at these namespaces.
mount --make-rshared /

# The kubelet sets these for the whole machine; here it sets copies.
for name in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
  kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  copy="$folder/sysctl/$(echo "$name" | tr / .)"
  cat "/proc/sys/$name" >"$copy"
  mount --bind "$copy" "/proc/sys/$name"
done

sysctl() { echo "$2" >"/proc/sys/net/$1"; }
sysctl ipv4/ip_forward 1
ip link set lo up
# The kubelet wants its address to be there before it starts.
ip link add cni0 type bridge
ip address add "$address" dev cni0
ip link set cni0 up
# Without a way to the Services' addresses, kube-proxy's rules never see what the node itself sends there.
ip route add 10.96.0.0/16 dev cni0
sysctl bridge/bridge-nf-call-iptables 1

touch "$folder/ready"
# Ignored, it lets the kernel reap the orphans that become this process' children.
trap '' CHLD
exec sleep infinity
