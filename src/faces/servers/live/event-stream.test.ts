import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { EventStream } from './event-stream.ts';

/** A client whose buffers take one write at a time. */
class SlowResponse extends EventEmitter {
  readonly written: string[] = [];
  writableEnded = false;

  writeHead() {}
  flushHeaders() {}
  write(text: string): boolean {
    this.written.push(text);
    return false;
  }
  end() {
    this.writableEnded = true;
  }
}

const section = (id: string, version: number) => ({ id, html: `${id}${version}` });
const htmlOf = (text: string) => JSON.parse(text.split('data: ')[1]!).html;

it('holds back sections for a slow client, and then sends only the newest', () => {
  const response = new SlowResponse();
  const stream = new EventStream(response as unknown as ServerResponse);
  for (let version = 1; version <= 1000; version++)
    stream.send([section('a', version), section('b', version)]);
  expect(response.written.map(htmlOf)).toEqual(['a1']);
  for (let i = 0; i < 5; i++) response.emit('drain');
  expect(response.written.map(htmlOf)).toEqual(['a1', 'a1000', 'b1000']);
});

it('ends after the last section was received', () => {
  const response = new SlowResponse();
  const stream = new EventStream(response as unknown as ServerResponse);
  stream.end([section('a', 1), section('b', 1)]);
  expect(response.writableEnded).toBe(false);
  for (let i = 0; i < 3; i++) response.emit('drain');
  expect(response.writableEnded).toBe(true);
  expect(response.written.map((text) => text.split('\n')[0])).toEqual([
    'event: section',
    'event: section',
    'event: end',
  ]);
});
