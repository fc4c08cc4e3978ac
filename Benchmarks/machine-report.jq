# What Benchmarks/machine makes of its measurements. Smaller is better in every row.

def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def rounded($digits): . * pow(10; $digits) | round / pow(10; $digits);

# Lines of `benchmark <tab> subject <tab> round <tab> value` to the results of machine.json.
def results:
    [split("\n")[] | select(. != "") | split("\t") | { benchmark: .[0], subject: .[1], value: (.[3] | tonumber) }]
    | group_by([.benchmark, .subject])
    | map({
        benchmark: .[0].benchmark, subject: .[0].subject,
        unit: (.[0].benchmark | if startswith("memory/") then "KiB" elif startswith("network/") then "ms" elif endswith("/exits") then "accesses"
            else "million instructions" end),
        rounds: length, median: (map(.value) | median | rounded(3)),
        spread_percent: (map(.value) | (max - min) / median * 100 | rounded(2)) });

# The results that were measured now, and of the others those that were kept.
def merged($kept): map([.benchmark, .subject]) as $measured
    | . + [$kept[] | select([.benchmark, .subject] as $one | $measured | index([$one]) | not)]
    | sort_by([.benchmark, .subject]);

def rows: [
    ["boot/init", "exec to the guest's first program, the kernel in the form that suits each best"],
    ["boot/process-ends", "exec to the end of the process, the guest having switched itself off"],
    ["packed/init", "exec to the guest's first program, the compressed kernel for all"],
    ["packed/process-ends", "exec to the end of the process, likewise"],
    ["firmware/loader", "exec to the first byte of a boot loader, by SeaBIOS (QEMU: q35)"],
    ["firmware/exits", "accesses to ports and devices until then (QEMU: q35)"],
    ["memory/beside-guest", "resident memory beside the guest's"],
    ["block/read-32MiB", "disk: read 32 MiB by 1 MiB"],
    ["block/write-32MiB", "disk: write 32 MiB by 1 MiB, and flush"],
    ["block/read-1000x4KiB", "disk: read 4 KiB a thousand times"],
    ["block/write-1000x4KiB", "disk: write 4 KiB a thousand times"],
    ["network/guest-to-host-8MiB", "network: 8 MiB from the guest to the host"],
    ["network/host-to-guest-8MiB", "network: 8 MiB from the host to the guest"],
    ["network/10-connections", "network: ten connections, each with a line there and back"]];

def shown: if . == null then "-"
    else (if .unit == "KiB" then "\(.median / 1024 | rounded(1)) MiB"
          else "\(.median | rounded(if . < 100 then 1 else 0 end))\({ "ms": " ms", "accesses": "" }[.unit] // " M")" end)
         + (if .rounds > 1 then " (± \(.spread_percent / 2 | rounded(2)) %)" else "" end) end;
def against($peer): if . == null or $peer == null then "-"
    else .median / $peer.median | if . < 0.1 then rounded(3) else rounded(2) end | tostring end;

def table:
    def row: "| " + join(" | ") + " |";
    .results as $all
    | (["", "wander-vmm", "QEMU microvm", "ratio", "kvmtool", "ratio"] | row),
      "|---|---|---|---|---|---|",
      (rows[] as [$name, $title]
        | def of($subject): [$all[] | select(.benchmark == $name and .subject == $subject)] | first;
          of("wander-vmm") as $own | (of("qemu-microvm") // of("qemu-q35")) as $microvm | of("kvmtool") as $kvmtool
        | select($own != null)
        | [$title, ($own | shown), ($microvm | shown), ($own | against($microvm)), ($kvmtool | shown), ($own | against($kvmtool))]
        | row);

# Lines about what differs from the earlier results $old by more than $limit percent, or is new. Wall time always differs.
def moved($old; $limit):
    [.results[] | select(.unit != "ms")] as $new
    | [$new[] as $now | [$old.results[] | select(.benchmark == $now.benchmark and .subject == $now.subject)] | first as $before
        | "\($now.benchmark) of \($now.subject)" as $name
        | if $before == null then "new: \($name)"
          else ($now.median / $before.median - 1) * 100 | rounded(2)
            | select(. > $limit or . < -$limit)
            | "moved: \($name): \($before.median) -> \($now.median) \($now.unit) (\(.) %)" end]
    | if length == 0 then "nothing moved by more than \($limit) % since the committed table" else .[] end;
# The largest difference from $old among what both have, in percent.
def largest_move($old):
    [.results[] | select(.unit != "ms") | . as $now | $old.results[] | select(.benchmark == $now.benchmark and .subject == $now.subject)
        | ($now.median / .median - 1) * 100 | fabs] | (max // 0) | rounded(2);
