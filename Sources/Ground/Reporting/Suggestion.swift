/// The candidate that a mistyped name most likely meant, if one is near enough to be worth naming.
public func nearest(to name: String, in candidates: some Sequence<String>) -> String? {
    let limit = max(1, min(3, name.count / 3))
    var best: (distance: Int, candidate: String)?
    for candidate in candidates {
        let distance = editDistance(name.lowercased(), candidate.lowercased(), limit: limit)
        if distance <= limit, distance < (best?.distance ?? .max) { best = (distance, candidate) }
    }
    return best?.candidate
}

/// Damerau-Levenshtein distance (optimal string alignment); anything above `limit` may be returned as `limit + 1`.
func editDistance(_ left: String, _ right: String, limit: Int) -> Int {
    let left = Array(left.utf8.prefix(64))
    let right = Array(right.utf8.prefix(64))
    guard abs(left.count - right.count) <= limit else { return limit + 1 }
    var older = [Int](repeating: 0, count: right.count + 1)
    var previous = Array(0...right.count)
    for i in left.indices {
        var current = [i + 1]
        for j in right.indices {
            let cost = left[i] == right[j] ? 0 : 1
            var value = min(previous[j + 1] + 1, current[j] + 1, previous[j] + cost)
            if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { value = min(value, older[j - 1] + 1) }
            current.append(value)
        }
        older = previous
        previous = current
    }
    return previous[right.count]
}
