#!/usr/bin/perl
# The test application on FCGI.pm: see README.md beside this file. One request at a time.
use strict;
use warnings;
use Digest::SHA;
use FCGI;
use IO::Handle;
use POSIX ();
use Time::HiRes ();

$SIG{PIPE} = 'IGNORE';
my $block = join '', map { chr(($_ * 31 + ($_ >> 8)) & 255) } 0 .. 65535;
my %environment;
my ($in, $out, $err) = (IO::Handle->new, IO::Handle->new, IO::Handle->new);
my $request = FCGI::Request($in, $out, $err, \%environment, 0, FCGI::FAIL_ACCEPT_ON_INTR());
my %query;
my $marks = $ENV{MARKS} // '/tmp';

sub plain { print $out "Content-Type: text/plain\r\n\r\n", @_ }

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
    my ($bytes) = @_;
    while ($bytes > 0) {
        my $part = $bytes < 65536 ? $bytes : 65536;
        print $out substr($block, 0, $part) or return 0;
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
        plain(map { "$_=" . encode($environment{$_}) . "\n" } sort keys %environment);
    },
    '/digest' => sub {
        my ($sum, $length) = (Digest::SHA->new(256), 0);
        while ((my $got = read $in, my $buffer, 16384) > 0) { $sum->add($buffer); $length += $got }
        plain("$length ", $sum->hexdigest, "\n");
    },
    '/generate' => sub {
        print $out "Content-Type: application/octet-stream\r\n";
        print $out "Content-Length: $query{bytes}\r\n" if ($query{length} // '') ne '0';
        print $out "\r\n";
        pattern($query{bytes}) if $environment{REQUEST_METHOD} ne 'HEAD';
    },
    '/status' => sub {
        print $out "Status: $query{code} Test\r\nContent-Type: text/plain\r\nX-Test: yes\r\n\r\n";
        print $out "body\n" if $query{code} != 204 && $query{code} != 304;
    },
    '/cookies' => sub {
        print $out "Content-Type: text/plain\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nset\n";
    },
    '/redirect' => sub { print $out "Location: http://viaduct.test/hello\r\n\r\n" },
    '/stderr' => sub {
        print $err "$query{text} of the request\n";
        syswrite STDERR, "$query{text} of the process\n";
        plain("reported\n");
    },
    '/pid' => sub { plain("$$\n") },
    '/setting' => sub { plain("$ENV{$query{name}}\n") },
    '/sleep' => sub { Time::HiRes::sleep($query{ms} / 1000); plain("slept\n") },
    '/endless' => sub { plain(''); 1 while pattern(65536); mark("write failed\n") },
    '/crash' => sub {
        if ($query{bytes}) { plain(''); pattern($query{bytes}); $out->flush }
        POSIX::abort();
    },
    '/once' => sub { POSIX::abort() if mark("crashed once\n"); plain("$$\n") },
    '/hang' => sub { mark("hanging\n"); POSIX::pause() while 1 },
    '/early' => sub { plain("early\n") },
);

while ($request->Accept >= 0) {
    %query = map { my ($name, $value) = split /=/, $_, 2; ($name => $value // '') }
        split /&/, $environment{QUERY_STRING} // '';
    my ($path) = split /\?/, $environment{REQUEST_URI} // '';
    my $page = $pages{$path // ''};
    $page ? $page->() : print $out "Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\nnot found\n";
    $request->Finish;
}
