import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Document } from '../documents.ts';

type Conversations = Record<string, { messages: { text: string }[][] }>;

/** Conversations of strangers. Each turn is a paragraph. */
export function* chitchat(folder: string): Generator<Document> {
  const file = join(folder, 'chitchat_dataset', 'dataset.json');
  const conversations = JSON.parse(readFileSync(file, 'utf8')) as Conversations;
  for (const [id, { messages }] of Object.entries(conversations)) {
    const paragraphs = messages.map((turn) => turn.map(({ text }) => text).join('. '));
    yield { id: `chitchat ${id}`, paragraphs };
  }
}
