import Testing

@testable import RubyReader

/// Calls without parentheses: whose argument, and whose block.
@Suite struct CallTests {
    @Test(
        "a 'do' belongs to the call whose arguments have no parentheses, and braces to the nearest one",
        arguments: [
            "Wanted.define name.to_s do |n| $result = n end",
            "Wanted.define h.fetch('name') do |n| $result = n end",
            "Wanted.define format('n%d', 1) do |n| $result = n end",
            "Wanted.define own(1) do |n| $result = n end",
            "Wanted.define 'x'.to_sym, a: h.fetch('b', true) do |n| $result = n end",
            "Wanted.define :x, 'b' => own(2) do |n| $result = n end",
            "Wanted.define [own(2)].map { |x| x }.first do |n| $result = n end",
            "Wanted.define(name.to_s) do |n| $result = n end",
            "Wanted.define name.to_s, -> do 1 end do |n| $result = n end",
            "Wanted.define(own 1) { |n| $result = n }",
            "while $result.nil? do Wanted.define own(1) do |n| $result = n end end",
            "[1].each do Wanted.define own(1) do |n| $result = n end end",
        ])
    func blocks(statement: String) {
        let outcome = RubyCase("name = :x\nh = { 'name' => 'x' }\ndef own(i) = i\n" + statement)
        #expect(outcome.result == "wanted", "\(outcome.remarks)")
        #expect(outcome.remarks.isEmpty)
    }

    @Test(
        "a list after a space is an argument, whatever comes after its bracket",
        arguments: [
            "Wanted.customize [ 'a', 1 ]", "Wanted.customize [\n  'a', 1,\n]", "Wanted.customize ['a', 1]",
            "Wanted.customize(['a', 1])",
        ])
    func lists(statement: String) {
        let outcome = RubyCase(statement)
        #expect(outcome.host.wanted.calls == ["customize([\"a\", 1])"], "\(outcome.remarks)")
    }

    @Test("a bracket after a value is a part of it, also after a space")
    func indices() {
        #expect(RubyCase("a = [4, 5]\nA = a\n$result = [a [1], A [0], (a) [1]]").result == "[5, 4, 5]")
    }

    @Test(
        "a call needs no space before a text or a symbol",
        arguments: [
            (#"Wanted.define"web" do |w| $result = w end"#, #"define("web")"#),
            (#"Wanted.define:"x" do |w| $result = w end"#, "define(:x)"),
            ("Wanted.define:x do |w| $result = w end", "define(:x)"),
            (#"Wanted.network"port",guest:80; $result = Wanted"#, #"network("port", {:guest=>80})"#),
        ])
    func spaces(statement: String, call: String) {
        let outcome = RubyCase(statement)
        #expect(outcome.host.wanted.calls == [call], "\(outcome.remarks)")
        #expect(outcome.result == "wanted")
        #expect(RubyCase.value("true ? 'a':'b'") == "\"a\"")
    }

    @Test("the right side of 'and' and 'or' may give a value to something")
    func assignments() {
        #expect(RubyCase("a = {}\n1 == 1 && a[:b] = 2\nnil || a[:c] = 3\n$result = a").result == "{:b=>2, :c=>3}")
        #expect(RubyCase("a = nil\ntrue && a ||= 4\n$result = a").result == "4")
    }

    @Test("a mark of UTF-8 at the start of a file is no part of it")
    func mark() { #expect(RubyCase("\u{feff}$result = 1").result == "1") }

    @Test("escapes that give a byte by its number")
    func escapes() {
        #expect(RubyCase.value(#""\033[31m\101\0\x41\7".bytesize"#) == "9")
        #expect(RubyCase.value(#""\101\1014\18""#) == "\"AA4\u{1}8\"")
    }
}
