import protobuf from 'protobufjs';

/** The part of TensorFlow's event.proto and summary.proto that scalars need. Names and numbers are the format's. */
const root = protobuf.Root.fromJSON({
  nested: {
    Event: {
      fields: {
        wall_time: { type: 'double', id: 1 },
        step: { type: 'int64', id: 2 },
        file_version: { type: 'string', id: 3 },
        summary: { type: 'Summary', id: 5 },
        session_log: { type: 'SessionLog', id: 7 },
      },
    },
    Summary: { fields: { value: { rule: 'repeated', type: 'Value', id: 1 } } },
    Value: { fields: { tag: { type: 'string', id: 1 }, simple_value: { type: 'float', id: 2 } } },
    SessionLog: { fields: { status: { type: 'int32', id: 1 } } },
  },
});
const Event = root.lookupType('Event');

/** Marks the start or resume of a run. Readers then drop earlier records of the same or a later step. */
export const SESSION_START = 1;

export interface EventMessage {
  /** Seconds since 1970. */
  wall_time: number;
  step?: number;
  file_version?: 'brain.Event:2';
  summary?: { value: { tag: string; simple_value: number }[] };
  session_log?: { status: typeof SESSION_START };
}

/** Encodes an event of a TensorBoard file. */
export function eventMessage(message: EventMessage): Uint8Array {
  return Event.encode(Event.create({ ...message })).finish();
}
