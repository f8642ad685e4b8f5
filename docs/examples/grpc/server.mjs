// SPDX-License-Identifier: MIT
// npm install @grpc/grpc-js @grpc/proto-loader
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const { RagService } = grpc.loadPackageDefinition(loadSync('rag.proto')).suoke.rag.v1;
const answer = ({ text }) => ({ text: `${text}? It depends.` });

const server = new grpc.Server();
server.addService(RagService.service, {
  Ask: (call, reply) => call.request.text !== 'forever' && reply(null, answer(call.request)),
  Discuss: (call) => call.on('data', (question) => call.write(answer(question))).on('end', () => call.end()),
});
server.bindAsync('127.0.0.1:50051', grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});
