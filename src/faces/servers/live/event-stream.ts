import type { ServerResponse } from 'node:http';
import type { VersionedSection } from './live-picture.ts';

/**
 * Sends server-sent events to one client. Each event holds the current state of a section, so a new client
 * gets all sections. A slow client skips outdated states; at most one section waits for it.
 */
export class EventStream {
  readonly #response: ServerResponse;
  /** The version of each section that was sent last. */
  readonly #sent = new Map<string, number>();
  #latest: readonly VersionedSection[] = [];
  #isBlocked = false;
  #isEnding = false;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on('drain', () => {
      this.#isBlocked = false;
      this.#flush();
    });
    // A kept-alive connection would keep the process running after the end.
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', Connection: 'close' });
    response.flushHeaders();
  }

  /** Sends the sections that are newer than the client's. */
  send(sections: readonly VersionedSection[]): void {
    this.#latest = sections;
    this.#flush();
  }

  /** Sends the final sections, marks them as final, and closes. */
  end(sections: readonly VersionedSection[]): void {
    this.#isEnding = true;
    this.send(sections);
  }

  #flush(): void {
    for (const { id, html, version } of this.#latest) {
      if (this.#isBlocked) return;
      if (version === this.#sent.get(id)) continue;
      this.#sent.set(id, version);
      this.#write('section', { id, html });
    }
    if (!this.#isEnding || this.#isBlocked || this.#response.writableEnded) return;
    this.#write('end', {});
    this.#response.end();
  }

  #write(event: string, data: object): void {
    this.#isBlocked = !this.#response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}
