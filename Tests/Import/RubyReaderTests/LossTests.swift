import Testing

@testable import RubyReader

/// Statements that are not understood: whether what the file is read for goes with them.
@Suite struct LossTests {
    private func kinds(_ text: String, files: [String: String] = [:]) -> [RubyRemark.Kind] {
        RubyCase("wanted = Wanted.itself\n" + text, files: files).remarks.map(\.kind)
    }

    @Test(
        "a statement with what the file is read for in it is a loss",
        arguments: [
            "UNKNOWN.each { |n| wanted.define n }", "My::Tools.setup(wanted)", "Home.configure(wanted, 1)",
            "UNKNOWN.each do |n|\n  if n\n    [n].each { |x| wanted.define(x) }\n  end\nend",
            "UNKNOWN.each { |n| Wanted.configure { |c| c.x = 1 } }", "for n in UNKNOWN do wanted.define n end",
            "x = My.tools(wanted)", "def f(c)\n  $c.define 1\nend\n$c = wanted\nUNKNOWN.each { |n| f(n) }",
            "def each_name\n  yield 1\nend\neach_name { |n| UNKNOWN.call(wanted) }",
            "JSON.parse(`nodes`).each { |n| wanted.define n }",
            "Node = Struct.new(:name)\n[Node.new('a')].each { |n| Other.make(wanted, n.name) }",
        ])
    func lost(text: String) { #expect(kinds(text) == [.lost]) }

    @Test(
        "what follows from a file that was not read is a loss",
        arguments: [
            "require_relative 'nodes'", "require './nodes'", "load 'extra.rb'", "eval File.read('gone.rb')",
            "YAML.load_file('gone.yml').each { |n| puts n }", "File.read('gone').split.each { |n| puts n }",
        ])
    func files(text: String) { #expect(kinds(text) == [.lost]) }

    @Test(
        "other statements are not",
        arguments: [
            "UNKNOWN.each { |n| puts n }", "system 'x'", "FileUtils.mkdir_p('x')", "`ls`.split.each { |x| puts x }",
            "def f(c)\n  c.define 1\n  system 'x'\nend\nf(wanted)", "File.open('x', 'w') { |f| f.puts 1 }",
        ])
    func skipped(text: String) { #expect(kinds(text) == [.skipped]) }

    @Test("libraries, and values that are not used, are no loss")
    func nothing() {
        #expect(kinds("require 'json'\nx = File.read('gone')\ny = x.strip").isEmpty)
    }

    @Test("a file that would end says so, and it is no loss where only a plugin is missing")
    func ended() {
        #expect(kinds("abort 'no settings' unless File.exist?('gone')") == [.ended])
        #expect(kinds("raise Missing, 'x' unless wanted.nil? == Wanted.has_plugin?('y') && false") == [.skipped])
        for text in [
            "exit unless x.has_plugin?('a')", "x.has_plugin?('a') or abort 'b'", "x.has_plugin?('a') || raise('b')",
            "unless x.has_plugin?('a')\n  system 'get a'\n  exit\nend",
        ] {
            #expect(!kinds("x = { 'has_plugin?' => 1 }\n" + text).contains(.ended), "\(text)")
        }
    }

    @Test("each loss is told at its own line, and once")
    func lines() {
        let outcome = RubyCase("w = Wanted.itself\nx = Gone.list\n3.times do\n  x.each { |n| w.define n }\nend")
        #expect(outcome.remarks == [RubyRemark(line: 4, kind: .lost, text: "'Gone' is not known here")])
    }
}
