# A boot sector that uses what boot loaders use of a BIOS, prints a letter for each thing that works, restarts the machine
# once, and switches it off. Assembled by the tests: as --32, then objcopy -O binary.
        .code16
        .global _start
_start: cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp
        sti
        movb    %dl, drive
        movb    $'B', %al               # The screen: INT 10h, function 0Eh.
        call    print

        movb    $0x42, %ah              # The disk: sector 1 to 0x8000 by INT 13h, function 42h.
        movw    $packet, %si
        movb    drive, %dl
        int     $0x13
        jc      ticks
        movb    0x8000, %al
        call    print

ticks:  movl    0x46c, %eax             # Timer ticks: the counter in the BIOS's data moves on twice.
        addl    $2, %eax
1:      cmpl    0x46c, %eax
        ja      1b
        movb    $'T', %al
        call    print

        movb    $0x86, %ah              # The clock's periodic interrupt: INT 15h, function 86h, 5 ms.
        xorw    %cx, %cx
        movw    $5000, %dx
        int     $0x15
        jc      clock
        movb    $'W', %al
        call    print

clock:  movb    $0x02, %ah              # The time of day: INT 1Ah, function 02h; a minute in decimal digits.
        int     $0x1a
        jc      memory
        cmpb    $0x59, %cl
        ja      memory
        movb    $'C', %al
        call    print

memory: xorl    %ebx, %ebx              # The memory map: INT 15h, function E820h, has three entries or more.
        xorw    %bp, %bp
1:      movl    $0xe820, %eax
        movl    $0x534d4150, %edx
        movl    $20, %ecx
        movw    $0x9000, %di
        int     $0x15
        jc      2f
        incw    %bp
        testl   %ebx, %ebx
        jnz     1b
2:      cmpw    $3, %bp
        jb      mark
        movb    $'E', %al
        call    print

mark:   movw    $1, sector              # Sector 2 has a mark after the first round.
        incw    sector
        movb    $0x42, %ah
        movw    $packet, %si
        movb    drive, %dl
        int     $0x13
        cmpb    $'M', 0x8000
        je      off
        movb    $'M', 0x8000
        movb    $0x43, %ah
        xorb    %al, %al
        movw    $packet, %si
        movb    drive, %dl
        int     $0x13
        movb    $'R', %al
        call    pause
        ljmp    $0xffff, $0             # As from the reset vector: the BIOS restarts the machine.

off:    movb    $'O', %al
        call    pause
        movw    $0x604, %dx             # ACPI's power management control: sleep type 5, sleep enable.
        movw    $0x3400, %ax
        outw    %ax, %dx
1:      hlt
        jmp     1b

pause:  call    print                   # What is printed reaches the line at a tick at the latest.
        movl    0x46c, %eax
        addl    $3, %eax
1:      cmpl    0x46c, %eax
        ja      1b
        ret

print:  movb    $0x0e, %ah
        movw    $7, %bx
        int     $0x10
        ret

        .balign 4
packet: .byte   16, 0
        .word   1, 0x8000, 0
sector: .long   1, 0
drive:  .byte   0
        .org    510
        .word   0xaa55
