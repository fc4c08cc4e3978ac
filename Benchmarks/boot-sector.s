# The shortest boot loader: says at the serial port that it has begun, and spins.
        .code16
        .global _start
_start: xorw    %ax, %ax
        movw    %ax, %ds
        movw    $text, %si
        movw    $0x3f8, %dx
        cld
1:      lodsb
        testb   %al, %al
        jz      2f
        outb    %al, %dx
        jmp     1b
2:      jmp     2b
text:   .asciz  "\nMARK idle\n"
        .org    510
        .word   0xaa55
