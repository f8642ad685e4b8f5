// SPDX-License-Identifier: MIT
#pragma once
// An intrusive doubly linked list: a member leaves in O(1), and by its destructor at the latest.

namespace suoke::rt {

template <class T>
class List;

template <class T>
class ListHook {
 public:
    ListHook() = default;
    ListHook(const ListHook&) = delete;
    ListHook& operator=(const ListHook&) = delete;
    ~ListHook() { unlink(); }

    bool linked() const { return previous_ != nullptr; }
    void unlink() {
        if (!previous_) return;
        previous_->next_ = next_;
        next_->previous_ = previous_;
        previous_ = next_ = nullptr;
    }

 private:
    friend class List<T>;
    ListHook* previous_ = nullptr;
    ListHook* next_ = nullptr;
};

// T derives from ListHook<T>. The list owns nothing.
template <class T>
class List {
 public:
    List() { head_.previous_ = head_.next_ = &head_; }
    ~List() {
        while (!empty()) head_.next_->unlink();
        head_.previous_ = head_.next_ = nullptr;
    }
    List(const List&) = delete;
    List& operator=(const List&) = delete;

    bool empty() const { return head_.next_ == &head_; }
    void push_back(T& item) {
        Hook& hook = item;
        hook.previous_ = head_.previous_;
        hook.next_ = &head_;
        head_.previous_->next_ = &hook;
        head_.previous_ = &hook;
    }
    void push_front(T& item) {
        Hook& hook = item;
        hook.previous_ = &head_;
        hook.next_ = head_.next_;
        head_.next_->previous_ = &hook;
        head_.next_ = &hook;
    }
    T* first() { return empty() ? nullptr : static_cast<T*>(head_.next_); }
    T* pop_front() {
        T* item = first();
        if (item) static_cast<Hook*>(item)->unlink();
        return item;
    }
    // Moves everything to the end of `other`.
    void splice_to(List& other) {
        while (T* item = pop_front()) other.push_back(*item);
    }
    // `visit` may unlink the item it is given, and no other.
    template <class Visit>
    void for_each(Visit visit) {
        for (Hook* hook = head_.next_; hook != &head_;) {
            Hook* next = hook->next_;
            visit(*static_cast<T*>(hook));
            hook = next;
        }
    }

 private:
    using Hook = ListHook<T>;
    Hook head_;
};

}  // namespace suoke::rt
