import type { RuntimePrograms } from './programs.js';

export const COMPILED: Readonly<Record<string, RuntimePrograms>> = {
  go: {
    hello: 'package main\nimport "fmt"\nfunc main() { fmt.Println("Hello, wörld ✓ 𝕌") }',
    echo: `package main
import ("fmt"; "io"; "os"; "strings")
func main() {
  stdin, _ := io.ReadAll(os.Stdin)
  data, _ := os.ReadFile("data.txt")
  fmt.Print(string(stdin), strings.Join(os.Args[1:], "\\n"), "\\n", os.Getenv("GREETING"), "\\n", string(data))
  fmt.Fprintln(os.Stderr, "to stderr")
  os.Exit(7)
}`,
    faulty: { script: 'package main\nfunc main() {\n  x\n}', message: /main\.go:3:3: undefined: x/ },
    hog: 'package main\nfunc main() { print("before\\n"); var x [][]byte; for { b := make([]byte, 1<<20); for i := range b { b[i] = 1 }; x = append(x, b) } }',
    loop: 'package main\nfunc main() { print("before\\n"); for {} }',
    recursion: {
      script: 'package main\nfunc f(n int) int { return f(n + 1) + 1 }\nfunc main() { println(f(0)) }',
      message: /stack exceeds|out of memory|^$/,
    },
    threads: `package main
import ("fmt"; "sync")
func main() {
  var sum int; var lock sync.Mutex; var all sync.WaitGroup
  for n := 1; n <= 4; n++ { all.Add(1); go func() { lock.Lock(); sum += n; lock.Unlock(); all.Done() }() }
  all.Wait(); fmt.Println(sum)
}`,
  },
  c: {
    hello: '#include <stdio.h>\nint main(void) { puts("Hello, wörld ✓ 𝕌"); }',
    echo: `#include <stdio.h>
#include <stdlib.h>
int main(int count, char **words) {
  int byte;
  while ((byte = getchar()) != EOF) putchar(byte);
  for (int i = 1; i < count; i++) puts(words[i]);
  puts(getenv("GREETING"));
  FILE *data = fopen("data.txt", "r");
  while ((byte = getc(data)) != EOF) putchar(byte);
  fputs("to stderr\\n", stderr);
  return 7;
}`,
    faulty: {
      script: 'int main(void) {\n  int y = 1;\n  return x;\n}',
      message: /main\.c:3:10: error: .*x.* undeclared/,
    },
    hog: `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) { puts("before"); fflush(stdout); for (;;) { volatile char *x = malloc(1 << 20); memset((void *)x, 1, 1 << 20); } }`,
    loop: '#include <stdio.h>\nint main(void) { puts("before"); fflush(stdout); for (;;) __asm__ volatile(""); }',
    recursion: {
      script:
        '#include <stdio.h>\nvolatile int z = 1;\nint f(int n) { volatile char x[1000]; x[n % 1000] = n; return z ? f(n + 1) + x[n % 999] : 0; }\nint main(void) { printf("%d\\n", f(0)); }',
      message: /^$/,
    },
    threads: `#include <pthread.h>
#include <stdio.h>
static int sum; static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *add(void *n) { pthread_mutex_lock(&lock); sum += (int)(long)n; pthread_mutex_unlock(&lock); return NULL; }
int main(void) {
  pthread_t all[4];
  for (long n = 1; n <= 4; n++) pthread_create(&all[n - 1], NULL, add, (void *)n);
  for (int i = 0; i < 4; i++) pthread_join(all[i], NULL);
  printf("%d\\n", sum);
}`,
  },
  cpp: {
    hello: '#include <iostream>\nint main() { std::cout << "Hello, wörld ✓ 𝕌" << std::endl; }',
    echo: `#include <cstdlib>
#include <fstream>
#include <iostream>
int main(int count, char **words) {
  std::cout << std::cin.rdbuf();
  for (int i = 1; i < count; i++) std::cout << words[i] << '\\n';
  std::cout << std::getenv("GREETING") << '\\n' << std::ifstream("data.txt").rdbuf();
  std::cerr << "to stderr\\n";
  return 7;
}`,
    faulty: {
      script: 'int main() {\n  auto y = 1;\n  return x;\n}',
      message: /main\.cpp:3:10: error: .*x.* was not declared/,
    },
    hog: `#include <iostream>
#include <vector>
int main() { std::cout << "before" << std::endl; std::vector<std::vector<char>> x; for (;;) x.emplace_back(1 << 20, 1); }`,
    loop: '#include <iostream>\nint main() { std::cout << "before" << std::endl; for (;;) asm volatile(""); }',
    recursion: {
      script:
        '#include <iostream>\nvolatile int z = 1;\nint f(int n) { volatile char x[1000]; x[n % 1000] = n; return z ? f(n + 1) + x[n % 999] : 0; }\nint main() { std::cout << f(0); }',
      message: /^$/,
    },
    threads: `#include <atomic>
#include <iostream>
#include <thread>
#include <vector>
int main() {
  std::atomic<int> sum = 0; std::vector<std::jthread> all;
  for (int n = 1; n <= 4; n++) all.emplace_back([&sum, n] { sum += n; });
  all.clear(); std::cout << sum << std::endl;
}`,
  },
  rust: {
    hello: 'fn main() { println!("Hello, wörld ✓ 𝕌"); }',
    echo: `use std::io::Read;
fn main() {
    let mut stdin = String::new();
    std::io::stdin().read_to_string(&mut stdin).unwrap();
    print!("{stdin}");
    for word in std::env::args().skip(1) { println!("{word}"); }
    println!("{}", std::env::var("GREETING").unwrap());
    print!("{}", std::fs::read_to_string("data.txt").unwrap());
    eprintln!("to stderr");
    std::process::exit(7);
}`,
    faulty: { script: 'fn main() {\n    let y = 1;\n    x + y;\n}', message: /cannot find value `x`[^]*main\.rs:3:5/ },
    hog: 'fn main() { println!("before"); let mut x: Vec<Vec<u8>> = vec![]; loop { x.push(vec![1; 1 << 20]); std::hint::black_box(&x); } }',
    loop: 'fn main() { println!("before"); loop { std::hint::black_box(1); } }',
    recursion: {
      script:
        'fn f(n: u64) -> u64 { std::hint::black_box(n) + if n == u64::MAX { 0 } else { f(n + 1) + n % 7 } }\nfn main() { println!("{}", f(0)); }',
      message: /has overflowed its stack/,
    },
    threads: `use std::sync::atomic::{AtomicI32, Ordering};
static SUM: AtomicI32 = AtomicI32::new(0);
fn main() {
    let all: Vec<_> = (1..=4).map(|n| std::thread::spawn(move || SUM.fetch_add(n, Ordering::SeqCst))).collect();
    for each in all { each.join().unwrap(); }
    println!("{}", SUM.load(Ordering::SeqCst));
}`,
  },
  java: {
    hello:
      'package a.b;\npublic class Any { public static void main(String[] words) { System.out.println("Hello, wörld ✓ 𝕌"); } }',
    echo: `import java.nio.file.*;
public class Echo {
    public static void main(String[] words) throws Exception {
        System.out.write(System.in.readAllBytes());
        for (String word : words) System.out.println(word);
        System.out.println(System.getenv("GREETING"));
        System.out.print(Files.readString(Path.of("data.txt")));
        System.err.println("to stderr");
        System.exit(7);
    }
}`,
    faulty: {
      script: 'class A {\n    public static void main(String[] words) {\n        x = 1;\n    }\n}',
      message: /Main\.java:3: error: cannot find symbol/,
    },
    hog: `import java.util.*;
class Hog {
    public static void main(String[] words) {
        System.out.println("before");
        List<byte[]> x = new ArrayList<>();
        for (;;) { byte[] more = new byte[1 << 20]; Arrays.fill(more, (byte) 1); x.add(more); }
    }
}`,
    loop: 'class Loop { public static void main(String[] words) { System.out.println("before"); for (;;); } }',
    recursion: {
      script:
        'class Deep { static int f(int n) { return f(n + 1) + 1; } public static void main(String[] words) { System.out.println(f(0)); } }',
      message: /StackOverflowError/,
    },
    threads: `import java.util.concurrent.atomic.*;
import java.util.stream.*;
interface Runs { static void main(String[] words) throws Exception {
    AtomicInteger sum = new AtomicInteger();
    var all = IntStream.rangeClosed(1, 4).mapToObj(n -> Thread.ofPlatform().start(() -> sum.addAndGet(n))).toList();
    for (Thread each : all) each.join();
    System.out.println(sum);
} }`,
  },
};
