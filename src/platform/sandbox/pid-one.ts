/**
 * PID 1 of a cold container: takes one job from stdin, runs it as its child and reports how it ended.
 *
 * Why not the interpreter itself as PID 1: the kernel drops signals to PID 1 that have no handler, so `abort()` and
 * `kill(getpid(), SIGKILL)` would do nothing; and Docker's exit code cannot tell `exit(139)` from a crash.
 * Why Perl: `perl-base` is essential in Debian, so every image has it; unlike a shell it reads exact lengths from a
 * pipe and sees the real wait status. It costs about 5 ms. The static launcher of the warm pool takes its place.
 *
 * Its records stand in the output streams, behind a nonce that only the host and this process know. The process is
 * not dumpable, so user code of the same uid cannot read the nonce or write its memory through /proc/1. The last record
 * is written once every other process of the container is dead: nothing can follow it.
 *   stderr: <nonce>start\n … <nonce>end status=… cpu_us=… memory=… oom=…\n     stdout: … <nonce>end\n
 *   stderr, instead of either: <nonce>refused <why>\n                            (no user code ran)
 * SIGTERM, from the host, ends the run: every process is killed and the record follows as ever.
 */
export const PID_ONE_SOURCE = String.raw`
use strict;
use Config;

sub dumpable { syscall($Config{archname} =~ /^aarch64/ ? 167 : 157, 4, $_[0], 0, 0, 0) }
dumpable(0);
$SIG{TERM} = sub { exit 0 };

sub take {
  my ($left, $bytes) = ($_[0], '');
  while ($left > 0) {
    my $count = sysread(STDIN, $bytes, $left, length $bytes);
    next if !defined $count && $! == 4;
    die "the job was cut short\n" unless $count;
    $left -= $count;
  }
  return $bytes;
}
sub number { unpack('N', take(4)) }
sub field { take(number()) }
sub fields { map { field() } 1 .. number() }

my $nonce = field();
# The program shares these pipes and may have made them non-blocking (node does): a full pipe is waited for.
sub record {
  my ($to, $text) = ($_[0], $nonce . $_[1] . "\n");
  until (defined syswrite($to, $text)) {
    exit 1 unless $! == 11 || $! == 4;
    select(undef, undef, undef, 0.001);
  }
}
sub refuse { record(\*STDERR, "refused $_[0]"); exit 0 }

sub put {
  my ($path, $content) = @_;
  my $folder = '';
  while ($path =~ m{\G([^/]*)/}gc) { $folder .= "$1/"; mkdir $folder, 0755 }
  open(my $file, '>', $path) or refuse("cannot write $path: $!");
  (print $file $content) && close($file) or refuse("cannot write $path: $!");
  chmod 0755, $path;
}

my $home = field();
my @argv = fields();
my @env = fields();
mkdir $home, 0755;
chdir $home or refuse("cannot enter $home: $!");
for (1 .. number()) { my $path = field(); put($path, field()) }
put('/tmp/.stdin', field());
open(STDIN, '<', '/tmp/.stdin') or refuse("cannot open the input: $!");
unlink '/tmp/.stdin';

my ($program) = grep { -x } $argv[0] =~ m{/} ? $argv[0] : map { "$_/$argv[0]" } split(/:/, $ENV{PATH});
refuse("no $argv[0] in this image") unless defined $program;

sub fact {
  for my $path (@_) { if (open(my $file, '<', "/sys/fs/cgroup/$path")) { local $/; return scalar <$file> } }
  return undef;
}
sub cpu_us {
  my $v2 = fact('cpu.stat');
  return $1 if defined $v2 && $v2 =~ /^usage_usec (\d+)/m;
  my $v1 = fact('cpuacct/cpuacct.usage', 'cpu,cpuacct/cpuacct.usage');
  return defined $v1 ? int($v1 / 1000) : -1;
}

pipe(my $failure, my $failed) or refuse("no pipe: $!");
my $ended = 0;
$SIG{TERM} = sub { $ended = 1; kill 'KILL', -1 };
my $cpu_before = cpu_us();
record(\*STDERR, 'start');
my $main = fork();
refuse("cannot fork: $!") unless defined $main;
if ($main == 0) {
  $SIG{TERM} = 'DEFAULT';
  dumpable(1);
  # The kernel's out-of-memory killer takes the program, never its supervisor.
  if (open(my $score, '>', '/proc/self/oom_score_adj')) { print $score 1000; close $score }
  for (@env) { my ($name, $value) = split(/=/, $_, 2); $ENV{$name} = $value }
  no warnings;
  exec { $program } @argv;
  syswrite($failed, "$!");
  kill 'KILL', $$;
}
close $failed;
sysread($failure, my $why, 200);
if (length $why) { wait(); refuse("cannot run $argv[0]: $why") }

my $status = 0;
kill 'KILL', -1 if $ended;
while ((my $pid = wait()) > 0) {
  next unless $pid == $main;
  $status = $?;
  $ended = 1;
} continue {
  kill 'KILL', -1 if $ended;
}
my ($oom) = (fact('memory.events', 'memory/memory.oom_control') // '') =~ /^oom_kill (\d+)/m;
my ($memory) = (fact('memory.peak', 'memory/memory.max_usage_in_bytes') // '') =~ /(\d+)/;
my $cpu_after = cpu_us();
record(\*STDOUT, 'end');
record(\*STDERR, sprintf('end status=%d cpu_us=%d memory=%d oom=%d', $status,
  $cpu_before < 0 || $cpu_after < 0 ? -1 : $cpu_after - $cpu_before, $memory // -1, $oom // 0));
exit 0;
`;

/** The container's command; the image needs nothing but its interpreter and Debian's perl-base. */
export const PID_ONE_COMMAND = ['/usr/bin/perl', '-e', PID_ONE_SOURCE] as const;
