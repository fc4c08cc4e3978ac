import Testing

@testable import RubyReader

/// Hostile files: each ends at a limit, and what was read before counts.
@Suite struct LimitTests {
    @Test(
        "loops, texts, lists and calls without an end stop",
        arguments: [
            "while true do end", "loop { }", "a = 'x'\nloop { a += a }", "a = [1]\nloop { a += a }",
            "(0..1_000_000_000_000).each { |x| x }", "9999999999.times { }", "'x' * 99999",
            "a = 'x' * 90000\nloop { a << a }",
            "def f(x)\n  f(x) + f(x)\nend\nf(1)", "a = 'a'\nloop { a = \"#{a}#{a}\" }", "Array.new(99999999) { 1 }",
            "a = []\na[99999999999] = 1", "h = {}\ni = 0\nloop { h[i] = i; i += 1 }",
            "x = []\nx << x\n$y = x.flatten.inspect",
            "a = 'a'\nloop { a = a.gsub('a', 'aa') }", "def g\n  g\nend\ng", "'%1000000d' % 1",
            "loop { puts 'a'.center(9999) }",
            "a = ['x' * 1000]\nloop { a = [a.join, a.join] }", "(-1..9223372036854775807).to_a",
            "for i in -9223372036854775807..9223372036854775807 do end",
            "(-9223372036854775807..9223372036854775807).step(3) { |x| x }",
            "(9223372036854775800..9223372036854775806).each { |x| x }",
            "(9223372036854775800..9223372036854775806).step(5) { |x| x }",
            "(0 - 9223372036854775807 - 1).times { }", "'x'.rjust(0 - 9223372036854775807 - 1)",
            "(1...(0 - 9223372036854775807 - 1)).to_a", "1.upto(9223372036854775807) { }",
        ])
    func loops(text: String) {
        let outcome = RubyCase("$result = 1\n" + text + "\n")
        #expect(outcome.result == "1")
    }

    @Test("nesting has a limit in every form")
    func nesting() {
        for (open, close) in [
            ("(", ")"), ("[", "]"), ("{ a: ", " }"), ("-> { ", " }"), ("!", ""), ("a.b(", ")"), ("\"#{", "}\""),
        ] {
            let text = String(repeating: open, count: 5000) + "1" + String(repeating: close, count: 5000)
            let outcome = RubyCase("$result = 1\nx = \(text)\n")
            #expect(outcome.result == "1", "\(open)")
        }
        let blocks = String(repeating: "if true\n", count: 5000) + String(repeating: "end\n", count: 5000)
        #expect(RubyCase("$result = 1\n" + blocks).result == "1")
        for (start, more) in [
            ("x = 1", " if true"), ("x = 1", " + 1"), ("x = a", ".b"), ("x = a", "[0]"), ("x = 1", " and 1"),
        ] {
            let chain = start + String(repeating: more, count: 60_000)
            #expect(RubyCase("$result = 1\n" + chain + "\n").result == "1", "\(more)")
        }
        // The deepest that the limits let through.
        var tree = "1"
        for _ in 0..<40 { tree = "f { \(tree)" + String(repeating: ".b", count: RubyLimits.links) + " }" }
        #expect(RubyCase("$result = 1\nx = \(tree)\n").result == "1")
        let sums = Array(repeating: "1", count: 2000).joined(separator: " + ")
        #expect(RubyCase("$result = 1\nx = \(sums)\n").result == "1")
    }

    @Test("brackets and operators take about as long to read as names do")
    func characters() {
        func time(_ word: String) -> Duration {
            let bytes = Array(("x = " + String(repeating: word, count: 40_000)).utf8)
            return (0..<3).map { _ in ContinuousClock().measure { _ = RubyLexer.tokens(bytes) } }.min() ?? .zero
        }
        let names = time("aa ")
        for word in ["(", "!", "- ", "[", "{", "||", "**="] { #expect(time(word) < names * 4, "\(word)") }
    }

    @Test("a pattern that tries everything finds nothing in time")
    func patterns() throws {
        let clock = ContinuousClock()
        let start = clock.now
        let text = String(repeating: "a", count: 5000) + "b"
        for pattern in ["(a*)*c", "(a|a)*c", "(a+)+$c", "a*a*a*a*a*a*c", "((a?){50}){50}c", ".*.*.*.*x"] {
            let expression = try #require(RubyPattern(pattern))
            #expect(expression.find(in: text) == nil, "\(pattern)")
        }
        #expect(clock.now - start < .seconds(60))
        #expect(RubyPattern("(?<!a)b") == nil)
        #expect(RubyPattern("[z-a]") == nil)
        #expect(RubyPattern("(a") == nil)
    }

    @Test("remarks have a limit")
    func remarks() {
        let text = (0..<3000).map { "unknown\($0)(1)" }.joined(separator: "\n")
        #expect(RubyCase(text).remarks.count == RubyLimits.remarks)
    }
}
