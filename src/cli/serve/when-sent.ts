/** Calls back once when an answer has gone out, to the end of its stream, or cannot. */
export function whenSent(response: Response, callback: () => void): Response {
  if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
    callback();
    return response;
  }
  let isDone = false;
  const once = () => {
    if (!isDone) callback();
    isDone = true;
  };
  const reader = response.body.getReader();
  const body = new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
        once();
      } catch (error) {
        controller.error(error);
        once();
      }
    },
    async cancel(reason) {
      once();
      await reader.cancel(reason);
    },
  });
  return new Response(body, response);
}
