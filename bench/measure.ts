import { setTimeout } from 'node:timers/promises';
import { Random } from '../src/support/random.ts';
import type { Client } from './client.ts';
import type { Memory } from './results.ts';
import type { Launcher, ServerKind, Side } from './sides.ts';

/** A process to measure, and the request that prepares it. */
export interface Rival {
  side: Side;
  preparation: object;
}

export interface Rounds {
  /** Number of warm-up rounds before the recorded ones. */
  warmUp: number;
  kept: number;
}

export interface Measured<Prepared, Reply> {
  prepared: Prepared;
  replies: Reply[];
  /** The response of the first round, which is also a warm-up. */
  first: Reply;
  /** Memory after the last round. */
  memory: Memory;
}

/**
 * Milliseconds between two turns. The idle threads of a process spin for a while, on cores that the next
 * process needs.
 */
const PAUSE_MS = 100;

/**
 * Runs processes side by side. After preparation, they do the same work alternately, round by round, so that
 * other load on the machine affects all of them. The order changes in every round, because the caches still
 * contain the previous process's data.
 *
 * @param op the request for a round's work
 * @param atEnd requests for the first process after the last round
 */
export async function measure<Prepared, Reply, End>(
  launcher: Launcher,
  kind: ServerKind,
  rivals: readonly Rival[],
  { warmUp, kept }: Rounds,
  op: string,
  atEnd: (first: Client) => Promise<End>,
): Promise<{ measured: Measured<Prepared, Reply>[]; end: End }> {
  const clients = rivals.map(({ side }) => launcher.start(side, kind));
  try {
    const prepared: Prepared[] = [];
    for (const [i, client] of clients.entries())
      prepared.push(await client.ask('prepare', rivals[i]!.preparation));
    const replies: Reply[][] = clients.map(() => []);
    const firsts: Reply[] = [];
    for (let round = -warmUp; round < kept; round++) {
      for (const i of new Random(0, 'bench', round + warmUp).permutation(clients.length)) {
        await setTimeout(PAUSE_MS);
        const reply = await clients[i]!.ask<Reply>(op);
        firsts[i] ??= reply;
        if (round >= 0) replies[i]!.push(reply);
      }
    }
    const memories: Memory[] = [];
    for (const client of clients) memories.push(await client.ask('memory'));
    const measured = clients.map((_, i) => ({
      prepared: prepared[i]!,
      replies: replies[i]!,
      first: firsts[i]!,
      memory: memories[i]!,
    }));
    return { measured, end: await atEnd(clients[0]!) };
  } finally {
    await Promise.all(clients.map((client) => client.exit()));
  }
}
