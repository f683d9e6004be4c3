import { randomBytes } from 'node:crypto';
import { MEDIA } from '../../../../input/media/media.ts';
import { markup } from '../../../../studies/report/markup.ts';
import { PROGRAM } from '../../../../support/program.ts';
import type { ServeApp } from '../request-scope.ts';

const STYLE = `
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
label { display: block; margin: .75rem 0 .25rem; }
[hidden] { display: none; }
select, textarea, input { font: inherit; width: 100%; box-sizing: border-box; }
button { font: inherit; margin: .75rem 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #8881; padding: .75rem; }
`;

/** Lists the models, and sends the text or the files to the route that the chosen model answers on. */
const SCRIPT = `
const MEDIA = ${JSON.stringify(Object.fromEntries(MEDIA.map(({ name, plural, accept }) => [name, { plural, accept }])))};
const at = (id) => document.getElementById(id);
const ask = async (path, body) => {
  const key = at('key').value;
  const isForm = body instanceof FormData;
  const headers = { ...(!isForm && { 'content-type': 'application/json' }), ...(key && { authorization: 'Bearer ' + key }) };
  const response = await fetch(path, body ? { method: 'POST', headers, body: isForm ? body : JSON.stringify(body) } : { headers });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error?.message ?? answer.error ?? response.status);
  return answer;
};
let models = [];
const list = async () => {
  at('answer').textContent = '';
  try {
    ({ data: models } = await ask('v1/models'));
    at('model').replaceChildren(...models.map(({ id, task, parent }) =>
      new Option(id + (task ? ' (' + task + ')' : '') + (parent ? '' : ', the base model'), id)));
    show();
  } catch (error) { at('answer').textContent = error.message; }
};
const chosen = () => models.find(({ id }) => id === at('model').value) ?? {};
const show = () => {
  const medium = MEDIA[chosen().input];
  at('files').hidden = !medium;
  at('texts').hidden = Boolean(medium);
  at('file').required = Boolean(medium);
  at('text').required = !medium;
  if (!medium) return;
  at('file').accept = medium.accept;
  at('plural').textContent = medium.plural;
};
at('model').addEventListener('change', show);
at('key').addEventListener('change', list);
at('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const model = at('model').value;
  const { task, input } = chosen();
  const [text, ...second] = at('text').value.split('\\n---\\n');
  const files = new FormData();
  files.set('model', model);
  for (const file of at('file').files) files.append(input, file);
  const [path, body] = MEDIA[input]
    ? [task === 'sentence_embedding' ? 'embed' : 'predict', files]
    : /_lm$/.test(task ?? '')
    ? ['v1/completions', { model, prompt: text }]
    : task === 'sentence_embedding'
      ? ['embed', { model, inputs: text }]
      : ['predict', { model, inputs: second.length > 0 ? [[text, second[0]]] : text }];
  at('answer').textContent = '…';
  try { at('answer').textContent = JSON.stringify(await ask(path, body), null, 2); }
  catch (error) { at('answer').textContent = error.message; }
});
list();
`;

/** Adds the page at `/`, which lists what is served and has a form to try it. It contains no data of the server. */
export function addHome(app: ServeApp, needsKey: boolean): void {
  app.get('/', (c) => {
    if (!c.req.header('accept')?.includes('text/html'))
      return c.text(`${PROGRAM} serve. /v1/models lists the models, /openapi.json describes the API.\n`);
    const nonce = randomBytes(16).toString('base64');
    const policy = `default-src 'none'; connect-src 'self'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; form-action 'none'; frame-ancestors 'none'`;
    c.header('Content-Security-Policy', policy);
    return c.html(renderPage(nonce, needsKey));
  });
}

function renderPage(nonce: string, needsKey: boolean): string {
  const page = markup`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${PROGRAM} serve</title><style nonce="${nonce}">`;
  const form = markup`</style></head><body><h1>${PROGRAM} serve</h1><form id="form"><label for="key"${!needsKey && markup` hidden`}>API key</label><input id="key" type="${needsKey ? 'password' : 'hidden'}"><label for="model">Model</label><select id="model"></select><div id="texts"><label for="text">Text. For a pair, put a line with --- between the two texts.</label><textarea id="text" rows="5" required></textarea></div><div id="files" hidden><label for="file">Files: <span id="plural"></span></label><input id="file" type="file" multiple></div><button>Send</button></form><pre id="answer" aria-live="polite"></pre><p><a href="openapi.json">API description</a></p><script nonce="${nonce}">`;
  return `${page.text}${STYLE}${form.text}${SCRIPT}</script></body></html>`;
}
