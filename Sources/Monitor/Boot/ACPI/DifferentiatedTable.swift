/// The devices that the guest cannot find by itself, as ACPI objects (the body of the DSDT).
enum DifferentiatedTable {
    static func body(_ platform: Platform) -> [UInt8] {
        // Fixed hardware has the button among its registers.
        let own =
            switch platform.kind {
            case .hardwareReduced: [powerButton, eventDevice]
            case .personalComputer: [clock]
            }
        return [
            AML.name("\\_S5", AML.package([5, 5, 0, 0].map { AML.integer($0) })),
            AML.scope("\\_SB", [hostBridge(platform), motherboard(platform), serialPort] + own),
        ].flatMap(\.self)
    }

    private static func hostBridge(_ platform: Platform) -> AML.Term {
        let method =
            switch platform.kind {
            case .hardwareReduced: [bridgeMethod]
            // Addresses are the firmware's.
            case .personalComputer: [] as [AML.Term]
            }
        return AML.device(
            "PC00",
            [
                AML.name("_HID", AML.identifier("PNP0A08")), AML.name("_CID", AML.identifier("PNP0A03")),
                AML.name("_ADR", AML.integer(0)), AML.name("_BBN", AML.integer(0)), AML.name("_SEG", AML.integer(0)),
                AML.name("_UID", AML.integer(0)), AML.name("_CCA", AML.integer(1)),
                AML.name(
                    "_CRS",
                    ACPIResource.template(
                        [
                            ACPIResource.buses(0...0), ACPIResource.ports(MachineLayout.configurationPorts),
                            ACPIResource.portWindow(0...0xcf7), ACPIResource.portWindow(0xd00...0xffff),
                        ] + platform.deviceWindows.map(ACPIResource.memoryWindow))),
            ] + method)
    }

    /// Device-specific method of the PCI firmware specification, section 4.6: function 5 answers 0, so that the guest
    /// keeps the addresses that the monitor has assigned.
    private static var bridgeMethod: AML.Term {
        let identifier: [UInt8] = [
            0xd0, 0x37, 0xc9, 0xe5, 0x53, 0x35, 0x7a, 0x4d, 0x91, 0x17, 0xea, 0x4d, 0x19, 0xc3, 0x43, 0x4d,
        ]
        return AML.method(
            "_DSM", arguments: 4, serialized: true,
            [
                AML.when(
                    AML.isEqual(AML.argument(0), AML.buffer(identifier)),
                    [
                        AML.when(AML.isEqual(AML.argument(2), AML.integer(0)), [AML.giveBack(AML.buffer([0x21]))]),
                        AML.when(AML.isEqual(AML.argument(2), AML.integer(5)), [AML.giveBack(AML.integer(0))]),
                    ]),
                AML.giveBack(AML.buffer([0])),
            ])
    }

    /// Linux uses the memory-mapped configuration space only if a device claims it.
    private static func motherboard(_ platform: Platform) -> AML.Term {
        AML.device(
            "MBRD",
            [
                AML.name("_HID", AML.identifier("PNP0C02")), AML.name("_UID", AML.integer(0)),
                AML.name("_CRS", ACPIResource.template([ACPIResource.fixedMemory(platform.configurationSpace)])),
            ])
    }

    private static var serialPort: AML.Term {
        AML.device(
            "COM1",
            [
                AML.name("_HID", AML.identifier("PNP0501")), AML.name("_UID", AML.integer(0)),
                AML.name("_STA", AML.integer(0xf)),
                AML.name(
                    "_CRS",
                    ACPIResource.template([
                        ACPIResource.interrupt(MachineLayout.serialInterrupt),
                        ACPIResource.ports(MachineLayout.serialPorts),
                    ])),
            ])
    }

    private static var clock: AML.Term {
        AML.device(
            "RTC_",
            [
                AML.name("_HID", AML.identifier("PNP0B00")),
                AML.name(
                    "_CRS",
                    ACPIResource.template([
                        ACPIResource.interrupt(MachineLayout.clockInterrupt),
                        ACPIResource.ports(MachineLayout.clockPorts),
                    ])),
            ])
    }

    private static var powerButton: AML.Term { AML.device("PWRB", [AML.name("_HID", AML.identifier("PNP0C0C"))]) }

    /// The generic event device (ACPI 6.5, section 5.6.9): turns an interrupt into a press of the button.
    private static var eventDevice: AML.Term {
        AML.device(
            "GED_",
            [
                AML.name("_HID", AML.string("ACPI0013")), AML.name("_UID", AML.integer(0)),
                AML.name("_CRS", ACPIResource.template([ACPIResource.interrupt(MachineLayout.powerButtonInterrupt)])),
                AML.method(
                    "_EVT", arguments: 1, serialized: true,
                    [
                        AML.when(
                            AML.isEqual(AML.argument(0), AML.integer(UInt64(MachineLayout.powerButtonInterrupt))),
                            [AML.notify("\\_SB.PWRB", 0x80)])
                    ]),
            ])
    }
}
