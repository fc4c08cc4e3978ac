import Reporting
import Testing

@Suite struct ErrorWordTests {
    private struct Plain: Error { var code = 5 }

    @Test("an error made for people has its summary, any other what Swift says of it")
    func words() {
        #expect((Interruption() as any Error).inWords == "interrupted")
        #expect((Plain() as any Error).inWords == "Plain(code: 5)")
    }
}
