# The test application for Plack (PSGI): see README.md beside this file. One request at a time.
use strict;
use warnings;
use Digest::SHA;
use POSIX ();
use Time::HiRes ();

my $block = join '', map { chr(($_ * 31 + ($_ >> 8)) & 255) } 0 .. 65535;
my $marks = $ENV{MARKS} // '/tmp';
my %query;

sub plain { return [200, ['Content-Type' => 'text/plain'], [join '', @_]] }

sub mark {
    my $path = "$marks/$query{mark}";
    my $unfinished = "$path.$$";
    open my $file, '>', $unfinished or return 0;
    print $file @_;
    my $made = close($file) && link $unfinished, $path;
    unlink $unfinished;
    return $made;
}

sub pattern {
    my ($writer, $bytes) = @_;
    while ($bytes > 0) {
        my $part = $bytes < 65536 ? $bytes : 65536;
        $writer->write(substr($block, 0, $part)) or return 0;
        $bytes -= $part;
    }
    return 1;
}

sub encode {
    my ($value) = @_;
    $value =~ s/([^\x21-\x24\x26-\x7e])/sprintf '%%%02X', ord $1/ge;
    return $value;
}

my %pages = (
    '/hello' => sub { plain("hello\n") },
    '/env' => sub {
        my ($env) = @_;
        my @names = grep { /^[A-Z]/ && !ref $env->{$_} } sort keys %$env;
        plain(map { "$_=" . encode($env->{$_}) . "\n" } @names);
    },
    '/digest' => sub {
        my ($env) = @_;
        my ($sum, $length) = (Digest::SHA->new(256), 0);
        while ((my $got = $env->{'psgi.input'}->read(my $buffer, 16384)) > 0) {
            $sum->add($buffer);
            $length += $got;
        }
        plain("$length ", $sum->hexdigest, "\n");
    },
    '/generate' => sub {
        my ($env) = @_;
        my @fields = ('Content-Type' => 'application/octet-stream');
        push @fields, 'Content-Length' => $query{bytes} if ($query{length} // '') ne '0';
        return [200, \@fields, []] if $env->{REQUEST_METHOD} eq 'HEAD';
        return sub {
            my $writer = $_[0]->([200, \@fields]);
            pattern($writer, $query{bytes});
            $writer->close;
        };
    },
    '/status' => sub {
        my $body = $query{code} =~ /^(?:204|304)$/ ? [] : ["body\n"];
        [$query{code}, ['Content-Type' => 'text/plain', 'X-Test' => 'yes'], $body];
    },
    '/cookies' => sub {
        [200, ['Content-Type' => 'text/plain', 'Set-Cookie' => 'a=1', 'Set-Cookie' => 'b=2'], ["set\n"]];
    },
    '/redirect' => sub { [302, [Location => 'http://viaduct.test/hello'], []] },
    '/stderr' => sub {
        my ($env) = @_;
        $env->{'psgi.errors'}->print("$query{text} of the request\n");
        syswrite STDERR, "$query{text} of the process\n";
        plain("reported\n");
    },
    '/pid' => sub { plain("$$\n") },
    '/setting' => sub { plain("$ENV{$query{name}}\n") },
    '/sleep' => sub { Time::HiRes::sleep($query{ms} / 1000); plain("slept\n") },
    '/endless' => sub {
        return sub {
            my $writer = $_[0]->([200, ['Content-Type' => 'text/plain']]);
            1 while pattern($writer, 65536);
            mark("write failed\n");
            $writer->close;
        };
    },
    '/crash' => sub {
        return sub {
            pattern($_[0]->([200, ['Content-Type' => 'text/plain']]), $query{bytes}) if $query{bytes};
            POSIX::abort();
        };
    },
    '/once' => sub { POSIX::abort() if mark("crashed once\n"); plain("$$\n") },
    '/hang' => sub { mark("hanging\n"); POSIX::pause() while 1 },
    '/early' => sub { plain("early\n") },
);

return sub {
    my ($env) = @_;
    %query = map { my ($name, $value) = split /=/, $_, 2; ($name => $value // '') }
        split /&/, $env->{QUERY_STRING} // '';
    my ($path) = split /\?/, $env->{REQUEST_URI} // '';
    my $page = $pages{$path // ''};
    return $page ? $page->($env) : [404, ['Content-Type' => 'text/plain'], ["not found\n"]];
};
