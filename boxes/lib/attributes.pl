# Turns the extended attributes in a pax archive into commands for debugfs: file capabilities, without which `ping` is root's
# alone. Usage: perl attributes.pl FOLDER <ARCHIVE: writes each value to a file in FOLDER (debugfs takes bytes from files
# only), and prints a command for each. Only `security.capability`: the other attributes that Debian's packages set are
# made again when the system starts. perl-base is on every Debian, and reading the archive takes no privilege.
# SeeAlso: pax(1), "pax Extended Header"; GNU tar keeps an attribute as the record `SCHILY.xattr.NAME`.
use strict;
use warnings;

my ($folder) = @ARGV;
binmode STDIN;
my ($count, %next) = (0);
my $header;
while (read(STDIN, $header, 512) == 512) {
    next if $header =~ /\A\0*\z/;
    my ($name, $size, $type, $prefix) = (unpack 'Z100 x24 Z12 x12 x8 a1 x100 x89 Z155', $header);
    my $length = oct($size);
    my $padded = int(($length + 511) / 512) * 512;
    if ($type eq 'x') {
        my $data = '';
        read(STDIN, $data, $padded) == $padded or die "the archive ends within a header\n";
        $data = substr $data, 0, $length;
        %next = ();
        while ($data =~ /\G(\d+) /gc) {
            my $record = substr $data, pos($data), $1 - length($1) - 2;
            pos($data) += $1 - length($1) - 1;
            my ($key, $value) = split /=/, $record, 2;
            $next{$key} = $value;
        }
        next;
    }
    my $path = $next{path} // (length $prefix ? "$prefix/$name" : $name);
    my $value = $next{'SCHILY.xattr.security.capability'};
    $length = $next{size} if defined $next{size};
    %next = ();
    if (defined $value) {
        $path =~ s{\A\./}{/};
        my $file = "$folder/" . $count++;
        open my $out, '>:raw', $file or die "$file: $!\n";
        print $out $value;
        close $out or die "$file: $!\n";
        print qq{ea_set -f $file "$path" security.capability\n};
    }
    $padded = int(($length + 511) / 512) * 512;
    while ($padded > 0) {
        my $skipped = read STDIN, my $buffer, $padded > 1 << 20 ? 1 << 20 : $padded;
        last unless $skipped;
        $padded -= $skipped;
    }
}
