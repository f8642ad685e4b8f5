// SPDX-License-Identifier: MIT
// A gRPC service whose messages are bytes and nothing more.
const raw = (value) => value;

/** A method of suoke.Talk, as grpc-js wants it described on both sides. */
export const kind = (path, requestStream, responseStream) => ({
  path: `/suoke.Talk/${path}`, requestStream, responseStream,
  requestSerialize: raw, requestDeserialize: raw, responseSerialize: raw, responseDeserialize: raw,
});
