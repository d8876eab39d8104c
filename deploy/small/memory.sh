# How much of the machine's memory Corral may have.
# shellcheck shell=sh disable=SC2154,SC2034

# Left to the system: 15 %, of a rented "2 GB" some 300 MB; on larger machines a GB at most.
least_reserve=256
most_reserve=1024

# Sets memory_high and memory_max, in MiB. The pool goes by the smaller one, so all of its levels come
# before the kernel slows anything down, and the kernel slows down before it kills.
choose_limits() {
    has_mib=${memory:-$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)}
    reserve=$((has_mib * 15 / 100))
    [ "$reserve" -ge "$least_reserve" ] || reserve=$least_reserve
    [ "$reserve" -le "$most_reserve" ] || reserve=$most_reserve
    memory_high=$((has_mib - reserve))
    [ "$memory_high" -ge 512 ] || die "$has_mib MiB of memory are too few, 768 are the least"
    memory_max=$((memory_high + reserve / 6))
    limits_told="of $has_mib MiB Corral gets $memory_high, at the most $memory_max"
    [ "$memory_high" -ge 1600 ] ||
        limits_told="$limits_told; TinyLlama Q8_0 wants 1600, so take a smaller quantisation"
}
