/* Passes the page's requests on, and adds the headers that isolate a page to the responses. */

interface Fetched extends Event {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}

const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

addEventListener('fetch', (event) => {
  const { request, respondWith } = event as Fetched;
  if (new URL(request.url).origin !== location.origin) return;
  respondWith.call(event, isolated(request));
});

async function isolated(request: Request): Promise<Response> {
  const answer = await fetch(request);
  const headers = new Headers(answer.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  const { status, statusText } = answer;
  return new Response(answer.body, { status, statusText, headers });
}
