// SPDX-License-Identifier: MIT
// npm install @grpc/grpc-js @grpc/proto-loader
// region client
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const { RagService } = grpc.loadPackageDefinition(loadSync('rag.proto')).suoke.rag.v1;
const gateway = new RagService('localhost:8000', grpc.credentials.createInsecure());

gateway.Ask({ text: process.argv[2] ?? 'Tea' }, { deadline: Date.now() + 2000 }, (error, answer) => {
  console.log(error ? `${grpc.status[error.code]} ${error.details}` : answer.text);
  gateway.close();
});
// endregion
