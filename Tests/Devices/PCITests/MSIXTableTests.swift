import PCI
import Synchronization
import Testing

@Suite struct MSIXTableTests {
    private let sink = RecordingSink()

    private func table(_ count: Int = 3) -> MSIXTable { MSIXTable(vectorCount: count, sink: sink) }

    private func program(_ table: MSIXTable, _ vector: UInt64, data: UInt64) {
        table.writeTable(0xfee0_1000, at: vector * 16, count: 4)
        table.writeTable(0, at: vector * 16 + 4, count: 4)
        table.writeTable(data, at: vector * 16 + 8, count: 4)
        table.writeTable(0, at: vector * 16 + 12, count: 4)
    }

    @Test("entries written under the function mask become one routing update")
    func batch() {
        let table = table()
        table.setControl(0xc000)
        for vector in 0..<3 { program(table, UInt64(vector), data: 0x40 + UInt64(vector)) }
        #expect(sink.updates.withLock { $0.isEmpty })
        table.setControl(0x8000)
        let expected = (0..<3).map { MessageRoute(vector: $0, address: 0xfee0_1000, data: 0x40 + UInt32($0)) }
        #expect(sink.updates.withLock { $0 } == [expected])
        table.setControl(0xc000)
        table.setControl(0x8000)
        #expect(sink.updates.withLock { $0.count } == 1)
    }

    @Test("what is triggered under a mask is pending, and fires when the mask goes")
    func pending() {
        let table = table()
        table.setControl(0x8000)
        table.trigger(1)
        #expect(table.readPending(at: 0, count: 8) == 2)
        #expect(sink.fired.withLock { $0.isEmpty })
        program(table, 1, data: 7)
        #expect(sink.fired.withLock { $0 } == [1])
        #expect(table.readPending(at: 0, count: 4) == 0)
        table.setControl(0xc000)
        table.trigger(1)
        #expect(sink.fired.withLock { $0 } == [1])
        table.setControl(0x8000)
        #expect(sink.fired.withLock { $0 } == [1, 1])
    }

    @Test("without MSI-X nothing fires and nothing is pending")
    func disabled() {
        let table = table()
        program(table, 0, data: 1)
        table.trigger(0)
        #expect(sink.fired.withLock { $0.isEmpty })
        #expect(table.readPending(at: 0, count: 8) == 0)
    }

    @Test("the table takes aligned words and pairs of words; the rest reads as ones and is ignored")
    func accesses() {
        let table = table(1)
        table.writeTable(0x1_fee0_2003, at: 0, count: 8)
        #expect(table.readTable(at: 0, count: 8) == 0x1_fee0_2000)
        table.writeTable(0x0000_0000_0000_0055, at: 8, count: 8)
        #expect(table.readTable(at: 8, count: 4) == 0x55)
        #expect(table.readTable(at: 12, count: 4) == 0)
        for (offset, count) in [(2, 4), (4, 8), (0, 2), (1, 1), (16, 4), (.max, 8), (.max, 4)] as [(UInt64, Int)] {
            table.writeTable(.max, at: offset, count: count)
            let ones = UInt64.max >> UInt64(64 - 8 * count)
            #expect(table.readTable(at: offset, count: count) == ones)
        }
        #expect(table.readTable(at: 0, count: 8) == 0x1_fee0_2000)
        #expect(table.readPending(at: 8, count: 8) == 0)
        table.trigger(-1)
        table.trigger(1)
        table.trigger(.max)
    }

    @Test("vectors are masked after a reset")
    func reset() {
        let table = table()
        table.setControl(0x8000)
        program(table, 0, data: 9)
        table.reset()
        #expect(table.readTable(at: 12, count: 4) == 1)
        #expect(!table.isEnabled)
    }

    @Test("the capability says how many vectors there are and where")
    func capability() {
        let (body, writable) = table(3).capability(bar: 0, tableOffset: 0x8000, pendingOffset: 0x9000)
        #expect(body == [2, 0, 0x00, 0x80, 0, 0, 0x00, 0x90, 0, 0])
        #expect(writable == [0, 0xc0])
    }
}

final class RecordingSink: MessageInterruptSink {
    let updates = Mutex<[[MessageRoute]]>([])
    let fired = Mutex<[Int]>([])
    func updateRoutes(_ routes: [MessageRoute]) { updates.withLock { $0.append(routes) } }
    func trigger(vector: Int) { fired.withLock { $0.append(vector) } }
}
