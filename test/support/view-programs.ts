import type { ScriptType } from './declared-runtimes.js';

/** Prints as JSON what its runtime reports about the machine. Members that a language cannot read are absent. */
export const SAYS_LIMITS: Readonly<Record<ScriptType, string>> = {
  python: `
import json, os
meminfo = dict(line.split(":") for line in open("/proc/meminfo"))
cgroup = lambda name: open("/sys/fs/cgroup/" + name).read().strip()
print(json.dumps({
  "cpus": [os.cpu_count(), len(os.sched_getaffinity(0)), os.sysconf("SC_NPROCESSORS_ONLN"), os.sysconf("SC_NPROCESSORS_CONF"),
    open("/proc/cpuinfo").read().count("processor\\t:"), sum(line[:3] == "cpu" and line[3] != " " for line in open("/proc/stat"))],
  "memoryMb": [int(meminfo["MemTotal"].split()[0]) / 1024, int(cgroup("memory.max")) / 1024 / 1024],
  "cgroup": [cgroup("cpu.max"), cgroup("pids.max"), cgroup("memory.swap.max")],
}))`,
  javascript: `
const os = require('node:os');
console.log(JSON.stringify({
  cpus: [os.cpus().length, os.availableParallelism(), navigator.hardwareConcurrency],
  memoryMb: [os.totalmem() / 2 ** 20, process.constrainedMemory() / 2 ** 20],
}));`,
  typescript: `
import os from 'node:os';
const cpus: number[] = [os.cpus().length, os.availableParallelism(), navigator.hardwareConcurrency];
console.log(JSON.stringify({ cpus, memoryMb: [os.totalmem() / 2 ** 20] }));`,
  bash: `
echo "{\\"cpus\\": [$(nproc), $(nproc --all), $(getconf _NPROCESSORS_ONLN), $(grep -c '^processor' /proc/cpuinfo)],"
echo "\\"memoryMb\\": [$(($(awk '/MemTotal/ { print $2 }' /proc/meminfo) / 1024))]}"`,
  go: `package main
import ("fmt"; "runtime")
func main() { fmt.Printf("{\\"cpus\\": [%d, %d]}\\n", runtime.NumCPU(), runtime.GOMAXPROCS(0)) }`,
};

/** Prints, one per line, every name that the language has for the user and for the home folder. */
export const SAYS_USER: Readonly<Record<ScriptType, string>> = {
  python: `
import getpass, grp, os, pathlib, pwd
print(getpass.getuser(), pwd.getpwuid(os.getuid()).pw_name, pwd.getpwnam("runner").pw_shell, grp.getgrgid(os.getgid()).gr_name, sep="\\n")
print(os.path.expanduser("~"), os.path.expanduser("~runner"), pathlib.Path.home(), sep="\\n")`,
  javascript: `
const os = require('node:os');
const { username, homedir, shell, uid } = os.userInfo();
console.log([username, homedir, shell, uid === process.getuid(), os.homedir()].join('\\n'));`,
  typescript: `
import os from 'node:os';
console.log(os.userInfo().username + '\\n' + os.homedir());`,
  bash: `whoami; id -un; id -gn; logname; echo "$USER"; echo "$LOGNAME"; echo ~; echo ~runner; stat -c %U main.sh`,
  go: `package main
import ("fmt"; "os"; "os/user")
func main() {
  own, err := user.Current()
  if err != nil { fmt.Println(err); return }
  named, err := user.Lookup("runner")
  if err != nil { fmt.Println(err); return }
  home, _ := os.UserHomeDir()
  fmt.Printf("%s\\n%s\\n%t\\n%s\\n", own.Username, own.HomeDir, named.Uid == own.Uid, home)
}`,
};

export const USER_SAID: Readonly<Record<ScriptType, string>> = {
  python: 'runner\nrunner\n/bin/bash\nrunner\n/tmp\n/tmp\n/tmp\n',
  javascript: 'runner\n/tmp\n/bin/bash\ntrue\n/tmp\n',
  typescript: 'runner\n/tmp\n',
  bash: 'runner\nrunner\nrunner\nrunner\nrunner\nrunner\n/tmp\n/tmp\nrunner\n',
  go: 'runner\n/tmp\ntrue\n/tmp\n',
};
