"""grpc.aio and ONNX Runtime at their leanest: uvloop, ModelInfer with raw contents, nothing validated, the run on the
event loop. One input and any number of outputs, all FP32.

  MODEL=model.onnx PORT=9000 PROTO=folder-with-inference python grpc_aio_server.py
"""
import os

import grpc
import grpc.aio
import infer_pb2 as pb
import numpy as np
import onnxruntime as ort
import uvloop

options = ort.SessionOptions()
options.intra_op_num_threads = int(os.environ.get("THREADS", "1"))
options.inter_op_num_threads = 1
session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
(only_input,) = [i.name for i in session.get_inputs()]
outputs = [o.name for o in session.get_outputs()]


async def infer(request, _context):
    (tensor,) = request.inputs
    data = np.frombuffer(request.raw_input_contents[0], np.float32).reshape(tensor.shape)
    results = session.run(outputs, {only_input: data})
    return pb.ModelInferResponse(
        model_name=request.model_name,
        model_version="1",
        outputs=[
            pb.ModelInferResponse.InferOutputTensor(name=name, datatype="FP32", shape=r.shape)
            for name, r in zip(outputs, results)
        ],
        raw_output_contents=[r.tobytes() for r in results],
    )


async def serve():
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 64 * 1024 * 1024)])
    method = grpc.unary_unary_rpc_method_handler(
        infer, pb.ModelInferRequest.FromString, pb.ModelInferResponse.SerializeToString
    )
    service = grpc.method_handlers_generic_handler("inference.GRPCInferenceService", {"ModelInfer": method})
    server.add_generic_rpc_handlers((service,))
    server.add_insecure_port(f"127.0.0.1:{os.environ['PORT']}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(serve())
