"""Triton's gRPC client with the answers of its HTTP client: what holds for the one can be asked of the other."""

import tritonclient.grpc as triton
from google.protobuf.message import Message


def plain(value):
    """A message as the JSON that HTTP has: its own field names, numbers as numbers, what is not set at its default."""
    if isinstance(value, Message):
        oneofs = {field.name for oneof in value.DESCRIPTOR.oneofs for field in oneof.fields}
        names = (field.name for field in value.DESCRIPTOR.fields)
        return {
            name: _of_field(value.DESCRIPTOR.fields_by_name[name], getattr(value, name))
            for name in names
            if name not in oneofs or value.HasField(name)
        }
    return value


def _of_field(field, value):
    if field.enum_type is not None and isinstance(value, int):
        return field.enum_type.values_by_number[value].name
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return {key: plain(value[key]) for key in value}
    if isinstance(value, (str, bytes, int, float, bool, Message)):
        return plain(value)
    return [plain(item) for item in value]


class Client(triton.InferenceServerClient):
    def get_server_metadata(self):
        return plain(super().get_server_metadata())

    def get_model_metadata(self, *args, **options):
        return plain(super().get_model_metadata(*args, **options))

    def get_model_config(self, *args, **options):
        return plain(super().get_model_config(*args, **options).config)

    def get_model_repository_index(self):
        return plain(super().get_model_repository_index())["models"]

    def get_inference_statistics(self, *args, **options):
        return plain(super().get_inference_statistics(*args, **options))

    def get_log_settings(self):
        return _settings(super().get_log_settings())

    def update_log_settings(self, settings):
        return _settings(super().update_log_settings(settings))


def _settings(response):
    """Of each setting the one value that it has."""
    return {name: next(iter(value.values())) for name, value in plain(response)["settings"].items()}
