import { type DescFile, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { type NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import { GRPC_STATUS } from '../../base/errors/table.ts';
import { type Call, respond, sendOne } from './call.ts';
import {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from './generated/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from './generated/grpc/reflection/v1alpha/reflection_pb.ts';
import { createInbox } from './inbox.ts';
import { readMessage, writeMessage } from './messages.ts';
import { pathOf, type Serve } from './methods.ts';
import { errorTrailers } from './status.ts';

type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>['messageResponse']>;

/** What is known of a set of files, by the names that clients ask for. */
interface FileIndex {
  readonly files: ReadonlyMap<string, DescFile>;
  readonly symbols: ReadonlyMap<string, DescFile>;
  readonly messages: ReadonlySet<string>;
  readonly services: readonly string[];
}

/**
 * Server reflection (grpc, doc/server-reflection.md), v1 and v1alpha, whose messages are the same on the wire.
 *
 * @param roots files of the services that are offered
 */
export function createReflection(roots: readonly DescFile[]): ReadonlyMap<string, Serve> {
  const index = indexFiles(roots);
  const serve: Serve = (call) => void serveReflection(call, index);
  return new Map([
    [pathOf(ServerReflection.method.serverReflectionInfo), serve],
    [pathOf(ServerReflectionAlpha.method.serverReflectionInfo), serve],
  ]);
}

async function serveReflection(call: Call, index: FileIndex): Promise<void> {
  let ending: NimifyError | undefined;
  const inbox = createInbox(call, undefined);
  respond(call, 'identity');
  try {
    for (;;) {
      const received = await inbox.next();
      if (received === undefined) break;
      received.claim?.release();
      const request = readMessage(ServerReflectionRequestSchema, received.message.bytes);
      const response = {
        validHost: request.host,
        originalRequest: request,
        messageResponse: answer(request.messageRequest, index),
      };
      await sendOne(call, writeMessage(ServerReflectionResponseSchema, response), 'identity');
    }
  } catch (thrown) {
    ending = toNimifyError(thrown);
  }
  call.stream.end(ending && errorTrailers(ending, call.requestId));
}

function answer(request: ServerReflectionRequest['messageRequest'], index: FileIndex): Answer {
  switch (request.case) {
    case 'listServices':
      return { case: 'listServicesResponse', value: { service: index.services.map((name) => ({ name })) } };
    case 'fileByFilename':
      return fileAnswer(index.files.get(request.value), request.value);
    case 'fileContainingSymbol':
      return fileAnswer(index.symbols.get(request.value), request.value);
    case 'allExtensionNumbersOfType':
      // None of these files has extensions.
      return index.messages.has(request.value)
        ? { case: 'allExtensionNumbersResponse', value: { baseTypeName: request.value } }
        : notFound(request.value);
    case 'fileContainingExtension':
      return notFound(`extension ${request.value.extensionNumber} of ${request.value.containingType}`);
    default:
      return failure(
        GRPC_STATUS.INVALID_ARGUMENT,
        'message_request: expected one of its five questions, got none',
      );
  }
}

/** The file and, behind it, everything that it imports. */
function fileAnswer(file: DescFile | undefined, name: string): Answer {
  if (file === undefined) return notFound(name);
  const files = [...withImports(file)];
  return {
    case: 'fileDescriptorResponse',
    value: { fileDescriptorProto: files.map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto)) },
  };
}

function notFound(name: string): Answer {
  return failure(GRPC_STATUS.NOT_FOUND, `${name} is not known; list_services says what is`);
}

function failure(errorCode: number, errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}

function withImports(file: DescFile, seen: Set<DescFile> = new Set()): Set<DescFile> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const dependency of file.dependencies) withImports(dependency, seen);
  return seen;
}

function indexFiles(roots: readonly DescFile[]): FileIndex {
  const files = new Map<string, DescFile>();
  const symbols = new Map<string, DescFile>();
  const messages = new Set<string>();
  const services = roots.flatMap((root) => root.services.map(({ typeName }) => typeName)).sort();

  function addMessage(message: DescMessage, file: DescFile): void {
    messages.add(message.typeName);
    symbols.set(message.typeName, file);
    for (const { name } of message.fields) symbols.set(`${message.typeName}.${name}`, file);
    for (const { typeName } of message.nestedEnums) symbols.set(typeName, file);
    for (const nested of message.nestedMessages) addMessage(nested, file);
  }

  for (const root of roots) {
    for (const file of withImports(root)) {
      files.set(`${file.name}.proto`, file);
      for (const message of file.messages) addMessage(message, file);
      for (const { typeName } of file.enums) symbols.set(typeName, file);
      for (const service of file.services) {
        symbols.set(service.typeName, file);
        for (const { name } of service.methods) symbols.set(`${service.typeName}.${name}`, file);
      }
    }
  }
  return { files, symbols, messages, services };
}
