/**
 * Makes the engine fail on demand: opening, running and releasing sessions of ONNX Runtime. Tests make one for a build of
 * the engine. A process or thread into which this file is preloaded (NODE_OPTIONS=--import) makes one for Node's build,
 * and the variable ENGINE_FAILS says what fails: `{"run": {"after": 1}}`.
 */
export class FailingEngine {
  /** Number of open sessions. */
  opened = 0;
  #failures = new Map();
  #build;
  #create;

  /** @param build the engine's `InferenceSession` */
  constructor(build) {
    this.#build = build;
    this.#create = build.create;
    build.create = (...args) => this.#open(args);
  }

  /**
   * Lets the next calls of an operation fail.
   *
   * @param operation open, run or release
   * @param options `after`: number of calls that succeed before; `times`: number of calls that fail
   */
  fail(operation, { after = 0, times = 1 } = {}) {
    this.#failures.set(operation, { after, times });
  }

  /** Ends all failures. */
  recover() {
    this.#failures.clear();
  }

  restore() {
    this.#build.create = this.#create;
  }

  async #open(args) {
    this.#check('open');
    const session = await this.#create.apply(this.#build, args);
    this.opened++;
    const { run, release } = session;
    session.run = async (...inputs) => {
      this.#check('run');
      return run.apply(session, inputs);
    };
    session.release = async () => {
      this.#check('release');
      await release.call(session);
      this.opened--;
    };
    return session;
  }

  #check(operation) {
    const failure = this.#failures.get(operation);
    if (!failure || failure.after-- > 0) return;
    if (--failure.times <= 0) this.#failures.delete(operation);
    throw new Error(`the engine cannot ${operation}`);
  }
}

const { ENGINE_FAILS } = process.env;
if (ENGINE_FAILS) {
  const { InferenceSession } = await import('onnxruntime-node');
  const engine = new FailingEngine(InferenceSession);
  for (const [operation, options] of Object.entries(JSON.parse(ENGINE_FAILS)))
    engine.fail(operation, options);
}
