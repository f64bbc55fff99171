import type { Decided, DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import type { DeliveryCommand } from '../domain/delivery-commands.js';
import { deliveryDecider, deliveryStream } from '../domain/delivery-decider.js';

const deliveryIdIn = (command: DeliveryCommand): string =>
  command.type === 'RequestDelivery' ? command.delivery.delivery_id : command.deliveryId;

/** @returns the position to wait for before reading; null if nothing changed */
export const decideDelivery = (decisions: DecisionRunner, command: DeliveryCommand): Promise<Decided<void>> =>
  decisions.run(command.metadata, async (streams) => {
    const stream = deliveryStream(deliveryIdIn(command));
    const delivery = await (command.type === 'RequestDelivery'
      ? streams.begin(stream, deliveryDecider)
      : streams.load(stream, deliveryDecider));
    delivery.record(deliveryDecider.decide(command, delivery.state));
  });
