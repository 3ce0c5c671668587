# Verifies every signature of *.eml in a folder with Mail::DKIM; keys come from keys.txt (owner name, tab, TXT).
# Prints one line per signature: <file> <tab> <algorithm> <tab> pass|fail.
use strict;
use warnings;
use Mail::DKIM::Verifier;

my $folder = shift;
my %published;
open my $keys, '<', "$folder/keys.txt" or die $!;
while (<$keys>) { chomp; my ($name, $text) = split /\t/; $published{$name} = $text }

{
    no warnings 'redefine';
    *Mail::DKIM::PublicKey::fetch_async = sub {
        my ($class, %wanted) = @_;
        my $name = "$wanted{Selector}._domainkey.$wanted{Domain}";
        my $key = $class->parse($published{$name});
        $key->{Selector} = $wanted{Selector};
        $key->{Domain}   = $wanted{Domain};
        my $done = $wanted{Callbacks}{Success} || sub { $_[0] };
        my $result = $done->($key);
        return sub { $result };
    };
}

for my $file (sort glob "$folder/*.eml") {
    open my $in, '<:raw', $file or die $!;
    local $/;
    my $verifier = Mail::DKIM::Verifier->new;
    $verifier->PRINT(<$in>);
    $verifier->CLOSE;
    (my $name = $file) =~ s{.*/}{};
    for my $signature ($verifier->signatures) {
        print join("\t", $name, $signature->algorithm, $signature->result_detail), "\n";
    }
}
