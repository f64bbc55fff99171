import { ResponseWatchdog } from '../../../src/platform/postgres/response-watchdog.js';

describe('ResponseWatchdog', () => {
  let timeouts: number;
  let watch: ResponseWatchdog;

  beforeEach(() => {
    jest.useFakeTimers();
    timeouts = 0;
    watch = new ResponseWatchdog(1_000, () => (timeouts += 1));
  });

  afterEach(() => jest.useRealTimers());

  it('reports a request without a response, once', () => {
    watch.requestSent();
    jest.advanceTimersByTime(999);
    expect(timeouts).toBe(0);
    jest.advanceTimersByTime(10_000);
    expect(timeouts).toBe(1);
  });

  it('reports nothing while responses arrive, however many are outstanding', () => {
    watch.requestSent();
    for (let index = 0; index < 10; index += 1) {
      watch.requestSent();
      jest.advanceTimersByTime(900);
      watch.responseReceived();
    }
    expect(timeouts).toBe(0);
    jest.advanceTimersByTime(1_000);
    expect(timeouts).toBe(1);
  });

  it('counts from the request if none was outstanding before', () => {
    watch.requestSent();
    jest.advanceTimersByTime(10);
    watch.responseReceived();
    jest.advanceTimersByTime(800);
    watch.requestSent();
    jest.advanceTimersByTime(990);
    expect(timeouts).toBe(0);
    jest.advanceTimersByTime(20);
    expect(timeouts).toBe(1);
  });

  it('starts no timer without a limit', () => {
    new ResponseWatchdog(0, () => (timeouts += 1)).requestSent();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves no timer behind', () => {
    watch.requestSent();
    watch.responseReceived();
    jest.advanceTimersByTime(1_000);
    expect(jest.getTimerCount()).toBe(0);

    watch.requestSent();
    watch.stop();
    expect(jest.getTimerCount()).toBe(0);
    expect(timeouts).toBe(0);
  });
});
