/** `fetch`, or what stands for it in a test. */
export type HttpFetch = (url: string, init: RequestInit) => Promise<Response>;
