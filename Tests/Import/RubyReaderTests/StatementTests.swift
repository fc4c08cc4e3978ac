import Testing

@testable import RubyReader

/// Statements: loops, functions, conditions, and what is not understood.
@Suite struct StatementTests {
    @Test(
        "loops, functions and assignments",
        arguments: [
            ("$result = []\nfor i in 1..3 do $result << i end", "[1, 2, 3]"),
            ("$result = 0\nwhile $result < 5\n  $result += 2\nend", "6"),
            ("$result = 0\nuntil $result > 5 do $result += 4 end", "8"),
            ("$result = []\n[1, 2, 3].each do |x|\n  next if x == 2\n  $result << x\nend", "[1, 3]"),
            ("$result = [1, 2, 3].each { |x| break x * 10 if x == 2 }", "20"),
            (
                "def f(a, b = 2, *rest, key: 1, &block)\n  return a + b + rest.length + key if b\nend\n$result = f(1, 2, 3, key: 4)",
                "8"
            ),
            ("def twice\n  yield(1) + yield(2)\nend\n$result = twice { |x| x * 10 }", "30"),
            ("a, b, *d = 1, 2, 4, 5\n$result = [a, d]", "[1, [4, 5]]"),
            ("a = b = 3\n$result = a + b", "6"), ("x ||= 5\nx &&= x + 1\n$result = x", "6"),
            ("h = Hash.new\nh[:a] ||= []\nh[:a] << 1\n$result = h", "{:a=>[1]}"),
            ("$result = case 5\nwhen 1..3 then 'low'\nwhen 4..6 then 'mid'\nelse 'high'\nend", "\"mid\""),
            ("$result = if false then 1 elsif nil then 2 else 3 end", "3"),
            ("$result = begin\n  1\nrescue\n  2\nensure\n  3\nend", "3"),
            ("add = ->(a, b = 1) { a + b }\n$result = add.call(2) + add.(3, 4) + add[1]", "12"),
            ("$result = [[1, [2, 3]]].map { |a, (b, c)| a + b + c }", "[6]"),
            (
                "text = <<-A + <<~B\n  one\n  A\n    two\n      three\n    B\n$result = text",
                "\"  one\ntwo\n  three\n\""
            ),
            ("s = 'a'\ns << 'b' << 'c'\ns += 'd'\n$result = s", "\"abcd\""),
            ("$result = [1, 2]\n  .map { |x| x + 1 }\n  # a comment\n  .reverse", "[3, 2]"),
            ("=begin\n$result = 1\n=end\n$result = 2\n__END__\n$result = 3", "2"),
            ("puts [1], -1\nvalue = 3\n$result = value -1", "2"),
            ("module M\n  A = 4\n  def self.f(x) = x * A\nend\n$result = M.f(M::A)", "16"),
        ])
    func statements(text: String, expected: String) {
        let outcome = RubyCase(text)
        #expect(outcome.result == expected, "\(outcome.remarks)")
    }

    @Test("variables of the environment stay what they are, with the default that the file gives")
    func environment() {
        let text = """
            port = ENV['PORT'] || 8080
            name = ENV.fetch('NAME', 'shop').strip
            path = "#{ENV['HOME']}/x"
            $result = "#{port} #{name} #{path}"
            """
        let outcome = RubyCase(text)
        guard case .string(let marked)? = outcome.evaluator.globals["$result"] else { return #expect(Bool(false)) }
        let filled = RubyPlaceholder.resolved(marked) { "<\($0):\($1 ?? "")>" }
        #expect(filled == "<PORT:8080> <NAME:shop> <HOME:>/x")
        #expect(outcome.remarks.isEmpty)
        #expect(RubyPlaceholder.withoutVariables(marked) == "8080 shop /x")
    }

    @Test("what a variable decides is told")
    func decided() {
        let outcome = RubyCase("$result = ENV['CI'] ? 1 : 2\nn = (ENV['N'] || '3').to_i\n$result += n + 1")
        #expect(outcome.result == "6")
        #expect(outcome.remarks.map(\.kind) == [.undecided, .fixed])
        #expect(outcome.remarks.map(\.line) == [1, 3])
    }

    @Test("a file cannot make up the marks that stand for variables")
    func marks() {
        let mark = RubyPlaceholder.text("HOME", fallback: nil)
        #expect(RubyCase("$result = '\(mark)'").result == "\"HOME\"")
        #expect(RubyCase("$result = File.read('x')", files: ["x": mark]).result == "\"HOME\"")
    }

    @Test("a line that is not understood costs itself only, with its line")
    func recovery() {
        let outcome = RubyCase(
            "a = 1\nb = = 2\nc.each do |x|\n  y = )\nend\nif a == 1\n  $result = a + 1\nend\nend\n$result += 1")
        #expect(outcome.result == "3")
        #expect(outcome.remarks.filter { $0.kind == .unread }.map(\.line) == [2, 4, 9])
    }

    @Test("no program is run, and that is told")
    func programs() {
        let text = "a = `touch x`\nsystem 'touch y'\n%x(touch z)\nexec('touch')\n$result = a"
        let outcome = RubyCase(text)
        #expect(outcome.result == "?")
        #expect(outcome.remarks.map(\.line).sorted() == [2, 4])
        #expect(outcome.remarks.allSatisfy { $0.kind == .skipped })
    }
}
