// A retriever for LangChain.js over an embedding model that adalora trained.

import { Document } from '@langchain/core/documents';
import { BaseRetriever } from '@langchain/core/retrievers';
import type { OpenedModel } from 'adalora';

export class AdaLoraRetriever extends BaseRetriever {
  lc_namespace = ['adalora'];
  readonly #model: OpenedModel;
  readonly #texts: readonly string[];
  readonly #vectors: Promise<Float32Array[]>;

  constructor(model: OpenedModel, texts: readonly string[]) {
    super();
    this.#model = model;
    this.#texts = texts;
    this.#vectors = model.embed(texts);
  }

  override async _getRelevantDocuments(query: string): Promise<Document[]> {
    const [asked] = await this.#model.embed([query]);
    const scores = (await this.#vectors).map((vector) => cosine(vector, asked!));
    const best = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, 4);
    return best.map((i) => new Document({ pageContent: this.#texts[i]!, metadata: { score: scores[i] } }));
  }
}

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0) / (Math.hypot(...a) * Math.hypot(...b));
}
