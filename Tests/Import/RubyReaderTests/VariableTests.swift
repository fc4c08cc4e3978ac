import Testing

@testable import RubyReader

/// Variables of the environment where something is decided: as if they were not set.
@Suite struct VariableTests {
    @Test(
        "a default keeps its kind",
        arguments: [
            ("n == 2", "true"), ("2 == n", "true"), ("n != 2", "false"), ("n > 1", "true"), ("n.zero?", "false"),
            ("n.even?", "true"), ("[1, 2].include?(n)", "true"), ("[1, 2].index(n)", "1"), ("{ 2 => 'b' }[n]", "\"b\""),
            ("(1..n).to_a", "[1, 2]"), ("n.times.to_a", "[0, 1]"), ("n * 3 + 1", "7"), ("n == m", "true"),
            ("n.to_s == '2'", "true"), ("\"#{n}\" == '2'", "true"), ("n == '2'", "false"), ("t == '2'", "true"),
            ("t == 2", "false"), ("t.to_i == 2", "true"), ("Integer(t) == 2", "true"), ("t * 2 == '22'", "true"),
            ("{ '2' => 'b' }.fetch(t)", "\"b\""), ("{ '2' => 1 }.key?(t)", "true"), ("['1', '2'].include?(t)", "true"),
            ("f == 2", "true"), ("'%02d' % n == '02'", "true"), ("-n", "-2"), ("n - 1", "1"), ("x.to_i == 5", "true"),
            ("case n\nwhen 1 then 'a'\nwhen 2 then 'b'\nend", "\"b\""),
            ("case t\nwhen '1', '2' then 'b'\nend", "\"b\""), ("case n\nwhen 1..3 then 'b'\nend", "\"b\""),
            ("[3, n].max", "3"), ("o == nil", "true"), ("o.nil?", "true"), ("o == 'x'", "false"),
        ])
    func decided(expression: String, expected: String) {
        let values = """
            n = (ENV['N'] || 2).to_i
            m = ENV['M'] || 2
            t = ENV['T'] || '2'
            f = ENV.fetch('F', 2)
            x = ENV.fetch('X') { '5x' }
            o = ENV['O']
            """
        let outcome = RubyCase(values + "\n$result = (\(expression))")
        #expect(outcome.result == expected)
    }

    @Test("that it counts as not set is told, with the line")
    func told() {
        for text in [
            "ENV['A'] == 'x'", "(ENV['A'] || 2) == 2", "[1].include?(ENV['A'] || 2)", "{ 'x' => 1 }[ENV['A'] || 'x']",
            "case ENV['A'] || 2\nwhen 3 then 1\nend", "'x' == ENV['A']",
        ] {
            let outcome = RubyCase("\nx = (\(text))")
            #expect(outcome.remarks.contains { $0.kind == .undecided && $0.line == 2 }, "\(text) \(outcome.remarks)")
        }
    }

    @Test("a number is one in a text too, and a file cannot make up its mark")
    func marks() throws {
        let outcome = RubyCase("$result = [(ENV['N'] || '7').to_i, ENV['M'].to_s, \"\u{f5a03}\"]")
        let items = try #require(outcome.evaluator.globals["$result"]?.items)
        let texts = items.compactMap(\.text).map { RubyPlaceholder.resolved($0) { "<\($0):\($1 ?? "-")>" } }
        #expect(texts == ["<N:7>", "<M:->", ""])
    }
}
