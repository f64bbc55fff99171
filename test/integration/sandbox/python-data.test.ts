import { randomUUID } from 'node:crypto';

import { TestSandbox } from '../../support/docker.js';

const RUNS = 3;

let box: TestSandbox;
beforeAll(async () => {
  box = await TestSandbox.create();
});
afterAll(async () => {
  await box.expectNoContainers();
  await box.sandbox.close();
});

it('has its packages, and draws without a display', async () => {
  const script = `
import matplotlib.pyplot as plt, networkx, numpy, pandas, PIL.Image, scipy.optimize, sklearn.linear_model, sympy
frame = pandas.read_csv("data.csv")
x = sympy.symbols("x")
print(sympy.integrate(2 * x, x), round(scipy.optimize.brentq(lambda v: v * v - 2, 0, 2), 6))
print(sklearn.linear_model.LinearRegression().fit(frame[["a"]], frame["b"]).predict(pandas.DataFrame({"a": [10]})).round(6))
print(networkx.shortest_path(networkx.path_graph(4), 0, 3), numpy.linalg.norm([3, 4]))
frame.plot(x="a", y="b"); plt.savefig("plot.png")
print(PIL.Image.open("plot.png").format)`;
  const files = [{ path: 'data.csv', content: Buffer.from('a,b\n1,2\n2,4\n3,6\n') }];
  expect(await box.run('python-data', script, { input: { files }, timeoutMs: 60_000 })).toMatchObject({
    ...{ reason: 'exit_code', returnCode: 0, err: '' },
    out: 'x**2 1.414214\n[20.]\n[0, 1, 2, 3] 5.0\nPNG\n',
  });
});

it('has other random numbers in each program, although they are forked from one interpreter', async () => {
  const script = `
import sys; print("numpy" in sys.modules, file=sys.stderr)
import numpy, random; print(numpy.random.rand(), numpy.random.default_rng().random(), random.random())`;
  const userId = randomUUID();
  const drawn: string[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const { out, err } = await box.run('python-data', script, { userId });
    expect(err).toBe('True\n');
    drawn.push(...out.trim().split(' '));
  }
  expect(new Set(drawn).size).toBe(RUNS * 3);
});

it('starts its interpreter as its file says, unless the program asks for something else', async () => {
  const script = 'import os, sys; print(os.environ["OPENBLAS_NUM_THREADS"], "numpy" in sys.modules)';
  expect((await box.run('python-data', script)).out).toBe('1 True\n');
  const input = { env: { OPENBLAS_NUM_THREADS: '2' } };
  expect((await box.run('python-data', script, { input })).out).toBe('2 False\n');
});
