import { commitIter, createRepo, HubApiError, listCommits } from '@huggingface/hub';
import { isObject } from '../../support/options.ts';
import { UserError } from '../../support/user-error.ts';

/** The title of our commits. A repository whose last commit has another title is not overwritten. */
const COMMIT_TITLE = 'Upload with adalora';
/** The title of the commit that creates a repository. */
const FIRST_COMMIT = 'initial commit';

interface UploadProgress {
  file: string;
  /** The work on the file, and the share that is done. */
  state: 'hashing' | 'uploading' | 'error';
  share: number;
}

export interface UploadOptions {
  /** Whether a new repository is public. */
  isPublic?: boolean;
  /** The commit to build on. Without it, the last commit must be ours. */
  parent?: string | undefined;
  /** Called while a file is prepared and sent. */
  onUpload?(progress: UploadProgress): void;
}

/** How to reach the Hub. */
interface UploadAccess {
  endpoint: string;
  offline: boolean;
  token: string | undefined;
  /** How long the Hub may take to answer a request without a large file, in milliseconds. */
  patience?: number;
}

/** Hugging Face's own client waits ten seconds; a commit of many files takes longer. */
const PATIENCE_MS = 60_000;

/**
 * Uploads files to a model repository of the Hub in one commit, and creates the repository if it does not exist. Files
 * that an interrupted upload has sent are not sent again. If another commit arrives in the meantime, nothing changes.
 *
 * @param files by their paths in the repository; a file is given by its URL
 * @throws UserError without a token, for a repository that others have changed, and for what the Hub refuses
 */
export async function uploadFiles(
  repo: string,
  files: ReadonlyMap<string, Blob | URL>,
  options: UploadOptions,
  { endpoint, offline, token: accessToken, patience = PATIENCE_MS }: UploadAccess,
): Promise<{ url: string; commit: string }> {
  const { isPublic = false, parent, onUpload } = options;
  if (offline)
    throw new UserError({
      where: repo,
      fault: 'cannot be uploaded offline (HF_HUB_OFFLINE)',
      code: 'network',
    });
  if (accessToken === undefined) {
    throw new UserError({
      where: repo,
      fault: 'needs an access token with write permission',
      hint: 'Set HF_TOKEN, or log in with `hf auth login`.',
      code: 'access_denied',
    });
  }
  const access = { repo, hubUrl: endpoint, accessToken, fetch: checkedFetch(patience) };
  try {
    await createRepo({ ...access, visibility: isPublic ? 'public' : 'private' }).catch(ifExists);
    const parentCommit = await findParent(access, parent);
    const work = commitIter({
      ...access,
      title: COMMIT_TITLE,
      parentCommit,
      // Our upload is tested with the protocol of Git LFS.
      useXet: false,
      operations: [...files].map(([path, content]) => ({
        operation: 'addOrUpdate' as const,
        path,
        // A URL of a file becomes a Blob that reads it in parts.
        content: content as Blob,
      })),
    });
    for (;;) {
      const { done, value } = await work.next();
      if (done) return { url: `${endpoint}/${repo}`, commit: value!.commit.oid };
      if (value.event === 'fileProgress')
        onUpload?.({ file: value.path, state: value.state, share: value.progress });
    }
  } catch (error) {
    throw explained(error, repo, endpoint, accessToken, patience);
  }
}

/** Answers that the Hub's client does not check. Their lists must have every file or object that was sent. */
const ANSWERS: readonly { path: RegExp; lists?: [name: string, key: string] }[] = [
  { path: /\/preupload\/[^/]+$/, lists: ['files', 'path'] },
  { path: /\/objects\/batch$/, lists: ['objects', 'oid'] },
  { path: /\/commit\/[^/]+$/ },
];

/** A `fetch` that refuses late answers, and answers that the client would take for success. */
function checkedFetch(patience: number): typeof fetch {
  return async (url, init = {}) => {
    const isFile = init.method === 'PUT';
    const signals = [init.signal ?? [], isFile ? [] : AbortSignal.timeout(patience)].flat();
    const response = await fetch(url, { ...init, signal: AbortSignal.any(signals) });
    const { pathname } = new URL(String(url));
    const answer = ANSWERS.find(({ path }) => path.test(pathname));
    if (!answer || !response.ok) return response;
    const got: unknown = await response.clone().json();
    const { lists: [name, key] = [] } = answer;
    if (name === undefined) {
      if (isObject(got) && typeof got.commitOid === 'string') return response;
      throw new Error(`the answer to ${pathname} names no commit`);
    }
    const of = (body: unknown): unknown[] => {
      const list = isObject(body) ? body[name] : undefined;
      return Array.isArray(list) ? list.map((one) => (isObject(one) ? one[key!] : undefined)) : [];
    };
    const missing = of(JSON.parse(String(init.body))).filter((one) => !of(got).includes(one));
    if (missing.length === 0) return response;
    throw new Error(`the answer to ${pathname} lacks ${missing.length} of the ${name} that were announced`);
  };
}

/** The Hub's status for a repository that exists. */
function ifExists(error: unknown): void {
  if (!(error instanceof HubApiError && error.statusCode === 409)) throw error;
}

/** The commit that the upload follows: the given one, or the last one if it is ours or empty. */
async function findParent(
  access: { repo: string; hubUrl: string; accessToken: string; fetch: typeof fetch },
  parent: string | undefined,
): Promise<string | undefined> {
  if (parent !== undefined) return parent;
  for await (const { oid, title } of listCommits({ ...access, batchSize: 1 })) {
    if (title === COMMIT_TITLE || title.toLowerCase() === FIRST_COMMIT) return oid;
    throw new UserError({
      where: access.repo,
      fault: `was last changed by another program: commit ${oid} ("${title.slice(0, 80)}")`,
      hint: 'To put a commit on top of it, pass --parent and its hash.',
    });
  }
  return undefined;
}

const HINTS: Readonly<Record<number, string>> = {
  401: 'Check the access token.',
  403: 'The access token needs write permission for this repository.',
  404: 'Check the name of the owner.',
  409: 'Another commit has arrived. Look at it, and push again.',
  412: 'Another commit has arrived. Look at it, and push again.',
  429: 'Wait, and push again.',
};

/** An error without the token, even if the server repeats it. */
function explained(
  error: unknown,
  where: string,
  endpoint: string,
  token: string,
  patience: number,
): unknown {
  if (error instanceof UserError || !(error instanceof Error)) return error;
  const again = 'Push again: files that have arrived are not sent again.';
  const { statusCode } = error as Partial<HubApiError>;
  const isLate = error.name === 'TimeoutError';
  const message = isLate ? `no answer within ${patience / 1000} s` : error.message.replaceAll(token, '…');
  const fault =
    statusCode === undefined
      ? `could not be uploaded to ${endpoint}: ${message}`
      : `could not be uploaded to ${endpoint} (status ${statusCode}): ${message}`;
  return new UserError({ where, fault, hint: HINTS[statusCode ?? 0] ?? again, code: 'network' });
}
