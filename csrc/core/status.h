// What went wrong, without exceptions: the front ends turn it into theirs.
#pragma once

#include <string>
#include <utility>

namespace sr_ops {

enum class StatusCode { kOk, kInvalidArgument, kOutOfMemory, kDeviceFailure };

struct Status {
  StatusCode code = StatusCode::kOk;
  std::string message;  ///< names the argument, the value seen and what is accepted

  bool ok() const { return code == StatusCode::kOk; }
  static Status InvalidArgument(std::string message) {
    return {StatusCode::kInvalidArgument, std::move(message)};
  }
  static Status OutOfMemory(std::string message) {
    return {StatusCode::kOutOfMemory, std::move(message)};
  }
  static Status DeviceFailure(std::string message) {
    return {StatusCode::kDeviceFailure, std::move(message)};
  }
};

}  // namespace sr_ops
