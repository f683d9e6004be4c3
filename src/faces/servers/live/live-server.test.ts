import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RunSummary, summarizeRun } from '../../../studies/report/run/run-record.ts';
import { LivePicture } from './live-picture.ts';
import { type LiveServer, limitConnections, serveLive } from './live-server.ts';

const FACTS = summarizeRun({
  model: 'm',
  method: 'lora',
  data: { train: 'spam.tsv' },
  training: {},
}) as RunSummary;
const START = { type: 'start', step: 0, total_steps: 40, num_train_epochs: 1, train_examples: 320 };
const step = (at: number) => ({ type: 'step', step: at, loss: 1 / at, examples_per_second: 100 });

/** How long a busy machine may take. */
const BUSY = { timeout: 600_000 };

let picture: LivePicture;
let server: LiveServer;
let stops: number;
beforeEach(async () => {
  stops = 0;
  picture = new LivePicture(FACTS);
  server = await serveLive(picture, 0, () => stops++);
});
afterEach(async () => {
  const closed = server.close();
  await askForStream();
  await closed;
});

/** Sends a raw request, because clients would set or refuse some of these headers. Returns the whole response. */
function ask(method: string, path: string, headers: Record<string, string> = {}): Promise<string> {
  const { hostname, port, host } = new URL(server.url);
  const lines = Object.entries({ Host: host, ...headers }).map(([name, value]) => `${name}: ${value}`);
  return new Promise((done, fail) => {
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text;
    });
    socket.on('error', fail).on('close', () => done(answer));
    socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`);
  });
}

/**
 * Requests the event stream, as a served page does next. A failure is ignored, because the server may have
 * closed.
 */
const askForStream = () => ask('GET', `${root()}events`).catch(() => '');

/** A connection: the client, which sends part of its requests, and the server's socket. */
async function connected(): Promise<{ client: Socket; served: Socket }> {
  const { hostname, port } = new URL(server.url);
  const accepted = new Promise<Socket>((done) => {
    const take = (message: unknown) => {
      unsubscribe('net.server.socket', take);
      done((message as { socket: Socket }).socket);
    };
    subscribe('net.server.socket', take);
  });
  const client = connect(Number(port), hostname);
  return { client, served: await accepted };
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
const root = () => new URL(server.url).pathname;

describe('accepts', () => {
  it('the page, by its URL', async () => {
    const answer = await ask('GET', root());
    expect(statusOf(answer)).toBe(200);
    expect(answer).toContain('<h1>LoRA on spam</h1>');
    expect(answer).not.toMatch(/access-control/i);
    expect(answer).toMatch(/content-security-policy: default-src 'none'; .*frame-ancestors 'none'/i);
    expect(answer).toMatch(/cache-control: no-store/i);
    const { port } = new URL(server.url);
    expect(statusOf(await ask('GET', root(), { Host: `localhost:${port}` }))).toBe(200);
  });

  it.each(['/', '/events', '/wrong/', '/x'.padEnd(33, 'x').concat('/'), '//', '/favicon.ico'])(
    'nothing at %s, without its token',
    async (path) => {
      const answer = await ask('GET', path);
      expect(statusOf(answer)).toBe(404);
      expect(answer).not.toContain('LoRA');
    },
  );

  it.each(['evil.example', 'evil.example:80', '127.0.0.1.evil.example', '169.254.0.1:80', ''])(
    'nothing with the host %j',
    async (host) => {
      expect(statusOf(await ask('GET', root(), { Host: host }))).toBe(421);
    },
  );

  it('nothing from another page', async () => {
    expect(statusOf(await ask('POST', `${root()}stop`, { Origin: 'http://evil.example' }))).toBe(403);
    expect(statusOf(await ask('POST', `${root()}stop`, { Origin: 'null' }))).toBe(403);
    expect(stops).toBe(0);
  });

  it('no other machine', async () => {
    const { port } = new URL(server.url);
    const others = Object.values(networkInterfaces())
      .flat()
      .filter((address) => address && !address.internal && address.family === 'IPv4');
    for (const other of others) {
      const failure = await new Promise((done) => {
        const socket = connect(Number(port), other!.address, () => done(undefined));
        socket.on('error', done).on('close', () => socket.destroy());
      });
      expect(failure).toBeInstanceOf(Error);
    }
  });

  it('a long token, which differs between servers', async () => {
    const other = await serveLive(picture, 0, () => {});
    await other.close();
    const [token, second] = [server.url, other.url].map((url) => new URL(url).pathname.replaceAll('/', ''));
    expect(token).toMatch(/^[\w-]{32}$/);
    expect(token).not.toBe(second);
  });
});

it('a stop request once, however often the button is pressed', async () => {
  const { origin } = new URL(server.url);
  expect(statusOf(await ask('GET', `${root()}stop`))).toBe(405);
  const modes = ['cors', 'cors', 'navigate'];
  const stop = (mode: string) => ask('POST', `${root()}stop`, { Origin: origin, 'Sec-Fetch-Mode': mode });
  const answers = await Promise.all(modes.map(stop));
  expect(answers.map(statusOf)).toEqual([204, 204, 303]);
  expect(stops).toBe(1);
  expect(await ask('GET', root())).toContain('<button disabled>Stopping</button>');
});

/** The events of a stream, as a browser reads them, up to its end. */
async function eventsUntilEnd(
  response: Response,
): Promise<{ event: string; data: { id: string; html: string } }[]> {
  const text = await response.text();
  return text
    .trim()
    .split('\n\n')
    .map((block) => {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
      return { event: event!, data: JSON.parse(data!) };
    });
}

describe('the stream', () => {
  it('begins with everything, continues with changes, and ends with the run', async () => {
    const all = picture.sections().map(({ id }) => id);
    const response = await fetch(`${server.url}events`);
    expect(response.headers.get('content-type')).toMatch('text/event-stream');
    picture.add(START);
    picture.add(step(10));
    server.changed();
    await server.close();
    const events = await eventsUntilEnd(response);
    const ids = events.filter(({ event }) => event === 'section').map(({ data }) => data.id);
    expect(ids.slice(0, all.length)).toEqual(all);
    expect(ids.slice(all.length)).toEqual(expect.arrayContaining(['status', 'curves', 'cost']));
    expect(ids.slice(all.length)).not.toContain('settings');
    expect(events.at(-1)?.event).toBe('end');
  });

  it('has everything again after a reload', async () => {
    picture.add(START);
    picture.add(step(30));
    const responses = [await fetch(`${server.url}events`), await fetch(`${server.url}events`)];
    await server.close();
    const [first, second] = await Promise.all(responses.map(eventsUntilEnd));
    expect(second).toEqual(first);
    expect(JSON.stringify(first)).toContain('Step 30 of 40');
  });

  it('is for a limited number of clients', async () => {
    const responses = await Promise.all(Array.from({ length: 33 }, () => fetch(`${server.url}events`)));
    expect(responses.filter(({ status }) => status === 503)).toHaveLength(1);
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(32);
    await server.close();
    await Promise.all(responses.map((response) => response.text()));
  });

  it('does not delay the end of a run for a client that reads nothing', async () => {
    const { client, served } = await connected();
    client.pause();
    // Larger than the buffers between server and client.
    picture.add({ type: 'notice', step: 0, message: 'x'.repeat(2 ** 24) });
    client.write(`GET ${root()}events HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\n\r\n`);
    await vi.waitUntil(() => served.writableNeedDrain, BUSY);
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    try {
      const closed = server.close();
      await vi.advanceTimersByTimeAsync(3_600_000);
      await closed;
    } finally {
      vi.useRealTimers();
    }
    client.destroy();
  });
});

it('ends at once for a client that connects while it closes', async () => {
  const { client: late, served } = await connected();
  let answer = '';
  late.setEncoding('utf8').on('data', (text) => {
    answer += text;
  });
  const hungUp = new Promise((done) => late.on('close', done));
  // Half of a request has been read when the run ends.
  const half = `GET ${root()}events HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\n`;
  late.write(half);
  await vi.waitUntil(() => served.bytesRead === half.length, BUSY);
  const closed = server.close();
  late.write('\r\n');
  await closed;
  await hungUp;
  expect(answer).toContain('event: section');
  expect(answer).toContain('event: end');
});

it('is waited for after a page has been served', async () => {
  await ask('GET', root());
  const closed = server.close();
  const events = await eventsUntilEnd(await fetch(`${server.url}events`));
  expect(events.at(-1)?.event).toBe('end');
  await closed;
});

it('waits for a page without scripts to return', async () => {
  await ask('POST', `${root()}stop`, { 'Sec-Fetch-Mode': 'navigate' });
  const closed = server.close();
  expect(await ask('GET', root())).toContain('Stopping');
  await askForStream();
  await closed;
});

it('stops nothing once the run is over', async () => {
  await ask('GET', root());
  const closed = server.close();
  expect(statusOf(await ask('POST', `${root()}stop`))).toBe(204);
  expect(stops).toBe(0);
  await askForStream();
  await closed;
});

it('reports that its port is taken', async () => {
  const port = Number(new URL(server.url).port);
  await expect(serveLive(picture, port, () => {})).rejects.toThrow(`--port ${port} is in use`);
});

const sockets: Socket[] = [];
const busy = createServer((_, response) => response.end('here'));
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  busy.close();
});

it('idle connections do not block others', async () => {
  limitConnections(busy, 8);
  busy.listen(0, '127.0.0.1');
  await once(busy, 'listening');
  const { port } = busy.address() as AddressInfo;
  for (let i = 0; i < 30; i++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
  }
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('here');
});
