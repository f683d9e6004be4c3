import type { ServerResponse } from 'node:http';
import type { LiveSection } from '../../../studies/report/page/live-page.ts';

/**
 * Sends server-sent events to one client. Each event holds the current state of a section, so a new client
 * gets all sections. A slow client skips outdated states; at most one section waits for it.
 */
export class EventStream {
  readonly #response: ServerResponse;
  /** The content of each section that was sent last. */
  readonly #sent = new Map<string, string>();
  #latest: readonly LiveSection[] = [];
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

  /** Sends the sections that differ from the client's. */
  send(sections: readonly LiveSection[]): void {
    this.#latest = sections;
    this.#flush();
  }

  /** Sends the final sections, marks them as final, and closes. */
  end(sections: readonly LiveSection[]): void {
    this.#isEnding = true;
    this.send(sections);
  }

  #flush(): void {
    for (const { id, html } of this.#latest) {
      if (this.#isBlocked) return;
      if (html === this.#sent.get(id)) continue;
      this.#sent.set(id, html);
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
