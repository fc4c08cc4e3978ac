# shellcheck shell=bash
# Boots a box under plain QEMU (TCG) for tests and measurements. Sourced by boxes/test and boxes/measure.

# The mode of boot: kernel (direct) or disk (through the image's own boot loader).
qemu="qemu-system-x86_64"

# free_port: prints a TCP port that nobody on this host listens on.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 20000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo $port
}

# boot_box BOX-DIRECTORY SCRATCH MODE [QEMU OPTION...]: starts the machine; its disk SCRATCH/disk.qcow2 is kept if there.
# Sets `port`, `pid` and `boot_started`.
boot_box() {
    local box=$1 scratch=$2 mode=$3
    shift 3
    local arguments=(-accel tcg -m "${memory:-512}" -nodefaults -display none -no-reboot
        -serial "file:$scratch/console.log" -qmp "unix:$scratch/qmp.sock,server=on,wait=off"
        -drive "file=$scratch/disk.qcow2,if=virtio,format=qcow2,discard=unmap" -device virtio-rng-pci)
    if [ ! -e "$scratch/disk.qcow2" ]; then
        qemu-img create -q -f qcow2 -b "$(realpath "$box/box.img")" -F qcow2 "$scratch/disk.qcow2" ${disk_size:+"$disk_size"}
    fi
    port=$(free_port)
    arguments+=(-netdev "user,id=net,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=net,romfile=)
    if [ "$mode" = kernel ]; then
        arguments+=(-kernel "$box/vmlinuz" -initrd "$box/initrd.img"
            -append "$(jq -r .wander.command_line "$box/metadata.json")")
    fi
    boot_started=${EPOCHREALTIME/[.,]/}
    timeout "${lifetime:-300}" "$qemu" "${arguments[@]}" "$@" 2>"$scratch/qemu.log" &
    pid=$!
}

# guest SCRATCH COMMAND...: runs a command in the guest as `vagrant`. Set `key` to choose the key.
guest() {
    local scratch=$1
    shift
    ssh -q -F none -i "$scratch/${key:-ed25519}" -p "$port" -o IdentitiesOnly=yes -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile=/dev/null -o ConnectTimeout=5 -o BatchMode=yes vagrant@127.0.0.1 "$@"
}

# prepare_keys SCRATCH: ssh refuses keys that others may read.
prepare_keys() {
    install -m 600 "$boxes/keys/vagrant.key.ed25519" "$1/ed25519"
    install -m 600 "$boxes/keys/vagrant.key.rsa" "$1/rsa"
}

# await_ssh SCRATCH SECONDS: waits for the first successful command and sets `boot_milliseconds`.
await_ssh() {
    local scratch=$1 deadline=$((SECONDS + $2))
    while ! guest "$scratch" true </dev/null 2>/dev/null; do
        if ! kill -0 "$pid" 2>/dev/null || [ $SECONDS -ge $deadline ]; then
            echo "the guest does not answer SSH; its console:" >&2
            tail -n 40 "$scratch/console.log" >&2
            cat "$scratch/qemu.log" >&2
            return 1
        fi
        sleep 0.1
    done
    boot_milliseconds=$(((${EPOCHREALTIME/[.,]/} - boot_started) / 1000))
}

# await_end SECONDS: waits until the machine has switched itself off.
await_end() {
    local deadline=$((SECONDS + $1))
    while kill -0 "$pid" 2>/dev/null; do
        if [ $SECONDS -ge $deadline ]; then return 1; fi
        sleep 0.1
    done
}

# press_power_button SCRATCH
press_power_button() {
    python3 - "$1/qmp.sock" <<'PYTHON'
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
stream = connection.makefile("rw")
for command in ("qmp_capabilities", "system_powerdown"):
    stream.readline()
    stream.write('{"execute": "%s"}\n' % command)
    stream.flush()
stream.readline()
PYTHON
}
