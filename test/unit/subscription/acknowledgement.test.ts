import type { JsMsg } from 'nats';

import { Acknowledgement } from '../../../src/event-sourcing/subscription/acknowledgement.js';

describe('Acknowledgement', () => {
  let acknowledged: number[];
  const message = (seq: number) => ({ seq, ack: () => void acknowledged.push(seq) }) as unknown as JsMsg;

  beforeEach(() => {
    acknowledged = [];
    jest.useFakeTimers();
  });
  afterEach(() => jest.useRealTimers());

  it('is sent once for messages within a short time, and names the newest', () => {
    const acknowledgement = new Acknowledgement();
    for (const seq of [1, 3, 2]) acknowledgement.acknowledge(message(seq), 1);
    expect(acknowledged).toEqual([]);
    jest.runAllTimers();
    expect(acknowledged).toEqual([3]);
  });

  it('is sent at once for many messages', () => {
    const acknowledgement = new Acknowledgement();
    acknowledgement.acknowledge(message(150), 150);
    acknowledgement.acknowledge(message(300), 150);
    expect(acknowledged).toEqual([300]);
    jest.runAllTimers();
    expect(acknowledged).toEqual([300]);
  });

  it('is sent early on request, and then not again', () => {
    const acknowledgement = new Acknowledgement();
    acknowledgement.acknowledge(message(1), 1);
    acknowledgement.send();
    expect(acknowledged).toEqual([1]);
    expect(jest.getTimerCount()).toBe(0);
    acknowledgement.send();
    expect(acknowledged).toEqual([1]);
  });

  it('tolerates a closed connection', () => {
    const acknowledgement = new Acknowledgement();
    const gone = () => {
      throw new Error('CONNECTION_CLOSED');
    };
    acknowledgement.acknowledge({ seq: 1, ack: gone } as unknown as JsMsg, 1);
    expect(() => acknowledgement.send()).not.toThrow();
    acknowledgement.acknowledge(message(2), 1);
    jest.runAllTimers();
    expect(acknowledged).toEqual([2]);
  });
});
